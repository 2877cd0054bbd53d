/// A client that gets replies as they are on the wire, in the protocol that it asks for. Confined to one thread.
public final class RESPBytesClient {
  private let socket: Socket
  private var received: [UInt8] = []

  /// Connects, and says HELLO with `version` unless it is 2, which is what a connection begins with.
  ///
  /// - Throws: ``TestSupportError``: `system`, or `process` if the server refuses the version.
  public init(_ address: SocketAddress, version: Int) throws {
    socket = try Socket(connectingTo: address)
    guard version != 2 else { return }
    let greeting = try reply(to: ["HELLO", "\(version)"])
    guard greeting.first == UInt8(ascii: "%") else {
      throw TestSupportError(.process, "HELLO was answered with \(String(decoding: greeting, as: UTF8.self))")
    }
  }

  /// Sends a command and returns the bytes of its reply.
  ///
  /// - Throws: ``TestSupportError``: `timedOut`, `closed` or `malformed`.
  @discardableResult
  public func reply(to words: [String]) throws -> [UInt8] {
    try socket.write(RESPClient.encode(words))
    while true {
      if let length = try RESPBytes.length(of: received) {
        defer { received.removeFirst(length) }
        return Array(received.prefix(length))
      }
      let bytes = try socket.read()
      guard !bytes.isEmpty else { throw TestSupportError(.closed, "closed instead of a reply to \(words)") }
      received += bytes
    }
  }
}
