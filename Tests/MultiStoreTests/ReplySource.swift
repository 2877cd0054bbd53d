internal import EventLoop
internal import Hiredis
internal import RESP
internal import TestSupport

/// Real replies, as hiredis reads them from a server, for what decides by looking at one.
final class ReplySource: ReplyReceiver {
  let client: RESPClient
  private let server: RedisServer
  private let loop: TestLoop
  private let connection: HiredisConnection
  private var look: ((borrowing Reply) -> Void)?
  private var failure: ConnectionFailure?

  init(_ binary: RedisServer.Binary = .redis) throws {
    server = try RedisServer(binary)
    client = try server.client()
    loop = try TestLoop()
    connection = HiredisConnection(
      on: loop.loop,
      endpoint: StoreEndpoint(address: .unix(path: server.socketPath)),
      limits: ConnectionLimits(),
      delegate: nil
    )
    connection.connect()
    try loop.run { [connection] in connection.isReady }
  }

  deinit {
    connection.close()
    loop.loop.close()
  }

  /// Executes a line of words, and lends the reply to `body`.
  func reply<Result>(to line: String, _ body: @escaping (borrowing Reply) -> Result) throws -> Result {
    try reply(toWords: words(line), body)
  }

  /// Lends the reply that a Lua expression makes to `body`: `1`, `false` (nil), `{1, 'a'}`, `{ok='OK'}`, `{err='E x'}`.
  func reply<Result>(lua: String, _ body: @escaping (borrowing Reply) -> Result) throws -> Result {
    try reply(toWords: ["EVAL", "return \(lua)", "0"], body)
  }

  private func reply<Result>(toWords words: [String], _ body: @escaping (borrowing Reply) -> Result) throws -> Result {
    var result: Result?
    look = { result = body($0) }
    connection.send(RESPClient.encode(words).span, to: self, token: 0)
    try loop.run { [connection] in connection.inFlightCount == 0 }
    look = nil
    guard let result else { throw TestSupportError(.closed, "no reply to \(words): \(String(describing: failure))") }
    return result
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    look?(reply)
  }

  func receive(failure: ConnectionFailure, token: Int) {
    self.failure = failure
  }
}
