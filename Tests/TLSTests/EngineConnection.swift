import TestSupport
import Testing

@testable import TLS

/// An engine on a socket, for tests against other implementations.
final class EngineConnection {
  let engine: TLSEngine
  let socket: Socket
  private var client: TLSClient?
  private(set) var received: [UInt8] = []

  /// Connects to a port, and shakes hands as a client.
  init(_ client: TLSClient, port: UInt16) throws {
    socket = try Socket(connectingTo: .port(port))
    self.client = client
    engine = try client.makeEngine(host: "localhost")
    engine.begin()
    try shakeHands()
  }

  /// Shakes hands as a server on an accepted socket.
  init(_ server: TLSCredentials, on socket: Socket) throws {
    self.socket = socket
    engine = server.makeEngine()
    try shakeHands()
  }

  private func shakeHands() throws {
    try flush()
    while engine.isHandshaking { try readOnce() }
    if let failure = engine.failure { throw failure }
  }

  func send(_ text: String) throws {
    engine.write(text)
    try flush()
  }

  /// Reads until `text` has come, and forgets all that came up to its end.
  func expect(_ text: String) throws {
    let wanted = Array(text.utf8)
    while true {
      if let end = received.indices.first(where: { received[$0...].starts(with: wanted) }) {
        received.removeFirst(end + wanted.count)
        return
      }
      if let failure = engine.failure { throw failure }
      try readOnce()
    }
  }

  /// Reads a line, without its end.
  func readLine() throws -> String {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: received[..<end], as: UTF8.self)
        received.removeFirst(end + 1)
        return line
      }
      guard !engine.peerHasClosed else { throw TestSupportError(.closed, "the peer has closed") }
      if let failure = engine.failure { throw failure }
      try readOnce()
    }
  }

  /// Reads until the peer has ended its direction, or TLS has failed.
  func readToEnd() throws {
    while !engine.peerHasClosed, engine.failure == nil { try readOnce() }
  }

  /// Sends a close-notify, and waits until the peer has read it and closed.
  func close() throws {
    engine.close()
    try flush()
    socket.shutdownWrites()
  }

  /// Reads what is there, waited for.
  func readOnce() throws {
    let bytes = try socket.read()
    if bytes.isEmpty { engine.transportDidEnd() } else { received += engine.receive(bytes) }
    if client?.remember(engine) == true { client = nil }
    try flush()
  }

  private func flush() throws {
    let output = engine.takeOutput()
    if !output.isEmpty { try socket.write(output) }
  }
}
