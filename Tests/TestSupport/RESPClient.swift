internal import Foundation
internal import Synchronization

/// A blocking RESP2 client with deadlines, for tests.
///
/// Any thread may use it: writing and reading have a lock each, so that one thread may send while another reads.
public final class RESPClient: Sendable {
  /// How long an operation may take unless the call says otherwise.
  public let limit: Duration

  private let socket: Socket
  private let writing = Mutex(())
  private let reading = Mutex(RESPReader())

  /// Connects to a server.
  ///
  /// - Parameter receiveBuffer: Size of the kernel's receive buffer in bytes, for tests of slow readers.
  /// - Throws: ``TestSupportError`` with code `system`.
  public init(_ address: SocketAddress, limit: Duration = waitLimit, receiveBuffer: Int32? = nil) throws {
    self.limit = limit
    socket = try Socket(connectingTo: address, receiveBuffer: receiveBuffer)
  }

  /// Connects to a unix socket.
  ///
  /// - Throws: ``TestSupportError`` with code `system`.
  public convenience init(unix path: String, limit: Duration = waitLimit) throws {
    try self.init(.unix(path), limit: limit)
  }

  /// The bytes of a command as an array of bulk strings.
  public static func encode(_ words: [[UInt8]]) -> [UInt8] {
    var bytes = Array("*\(words.count)\r\n".utf8)
    for word in words {
      bytes += Array("$\(word.count)\r\n".utf8)
      bytes += word
      bytes += [13, 10]
    }
    return bytes
  }

  /// The bytes of a command as an array of bulk strings.
  public static func encode(_ words: [String]) -> [UInt8] { encode(words.map { Array($0.utf8) }) }

  /// Sends a command and waits for its reply; an error reply is returned, not thrown.
  @discardableResult
  public func command(_ words: String...) throws -> RESPReply { try command(words) }

  /// Sends a command and waits for its reply; an error reply is returned, not thrown.
  @discardableResult
  public func command(_ words: [String]) throws -> RESPReply { try command(bytes: words.map { Array($0.utf8) }) }

  /// Sends a command of any bytes and waits for its reply; an error reply is returned, not thrown.
  @discardableResult
  public func command(bytes words: [[UInt8]]) throws -> RESPReply {
    try send(Self.encode(words))
    return try readReply()
  }

  /// Sends commands in one piece and waits for all replies.
  ///
  /// Replies are read while commands are still being written, so that no size of pipeline can lock both ends up.
  public func pipeline(_ commands: [[String]], within limit: Duration? = nil) throws -> [RESPReply] {
    try pipeline(bytes: commands.map { $0.map { Array($0.utf8) } }, within: limit)
  }

  /// The same for commands that are no text.
  public func pipeline(bytes commands: [[[UInt8]]], within limit: Duration? = nil) throws -> [RESPReply] {
    let bytes = commands.flatMap { Self.encode($0) }
    let deadline = ContinuousClock.now + (limit ?? self.limit)
    var replies: [RESPReply] = []
    try writing.withLock { _ in
      try reading.withLock { reader in
        var sent = 0
        while replies.count < commands.count {
          if sent < bytes.count { sent += try socket.writeAvailable(bytes[sent...]) }
          let events = Int16(POLLIN) | (sent < bytes.count ? Int16(POLLOUT) : 0)
          guard socket.wait(for: events, until: deadline) != 0 else {
            throw TestSupportError(.timedOut, "\(replies.count) of \(commands.count) replies came in time")
          }
          try take(into: &reader)
          while replies.count < commands.count, let reply = try reader.next() { replies.append(reply) }
        }
      }
    }
    return replies
  }

  /// Sends bytes as they are.
  public func send(_ bytes: [UInt8], within limit: Duration? = nil) throws {
    try writing.withLock { _ in try socket.write(bytes, within: limit ?? self.limit) }
  }

  /// Sends a string's UTF-8 as it is.
  public func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// The next reply, waited for.
  ///
  /// - Throws: ``TestSupportError``: `timedOut`, `closed`, or `malformed`.
  public func readReply(within limit: Duration? = nil) throws -> RESPReply {
    let deadline = ContinuousClock.now + (limit ?? self.limit)
    return try reading.withLock { reader in
      while true {
        if let reply = try reader.next() { return reply }
        guard socket.wait(for: Int16(POLLIN), until: deadline) != 0 else {
          throw TestSupportError(.timedOut, "no reply in time; \(reader.rest.count) bytes of one are there")
        }
        try take(into: &reader)
      }
    }
  }

  /// The next `count` replies, waited for.
  public func readReplies(_ count: Int, within limit: Duration? = nil) throws -> [RESPReply] {
    try (0..<count).map { _ in try readReply(within: limit) }
  }

  /// The next `count` bytes as they came, waited for.
  ///
  /// - Throws: ``TestSupportError``: `timedOut`, or `closed`.
  public func readBytes(_ count: Int, within limit: Duration? = nil) throws -> [UInt8] {
    let deadline = ContinuousClock.now + (limit ?? self.limit)
    return try reading.withLock { reader in
      while reader.rest.count < count {
        guard socket.wait(for: Int16(POLLIN), until: deadline) != 0 else {
          let rest = String(decoding: reader.rest.prefix(200), as: UTF8.self)
          throw TestSupportError(.timedOut, "\(reader.rest.count) of \(count) bytes came in time: \(rest)")
        }
        try take(into: &reader)
      }
      return reader.take(count)
    }
  }

  /// All bytes until the other end closes; a reset counts as a close.
  ///
  /// - Throws: ``TestSupportError`` with code `timedOut`.
  public func readUntilClosed(within limit: Duration? = nil) throws -> [UInt8] {
    let deadline = ContinuousClock.now + (limit ?? self.limit)
    return try reading.withLock { reader in
      var bytes = Array(reader.rest)
      reader.removeAll()
      while true {
        guard socket.wait(for: Int16(POLLIN), until: deadline) != 0 else {
          throw TestSupportError(.timedOut, "not closed in time; \(bytes.count) bytes came")
        }
        do {
          guard let more = try socket.readAvailable() else { continue }
          if more.isEmpty { return bytes }
          bytes += more
        } catch {
          return bytes
        }
      }
    }
  }

  /// Says that nothing more will be sent; replies still come.
  public func shutdownWrites() { socket.shutdownWrites() }

  /// Closes the connection in both directions.
  public func close() { socket.close() }

  /// Hangs up so that the other end's next write or read fails.
  public func reset() { socket.reset() }

  private func take(into reader: inout RESPReader) throws {
    guard let bytes = try socket.readAvailable() else { return }
    guard !bytes.isEmpty else { throw TestSupportError(.closed, "the server closed the connection") }
    reader.append(bytes)
  }
}
