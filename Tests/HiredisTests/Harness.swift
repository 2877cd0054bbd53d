import EventLoop
import RESP
import Testing

import class TestSupport.RedisServer

@testable import Hiredis

/// What a receiver heard about one command.
enum Outcome: Equatable {
  case reply(String)
  case failure(ConnectionFailure)
}

/// A loop, driven by the test's own thread, and what was heard on it.
final class Harness: HiredisConnectionDelegate, ReplyReceiver {
  let loop: EventLoop
  /// Tokens and outcomes in the order in which they came.
  var outcomes: [(token: Int, outcome: Outcome)] = []
  var identities: [ServerIdentity] = []
  var downs: [ConnectionDownReason] = []
  /// The details of connections that were closed while nothing was in flight.
  var idleCloses: [String] = []
  /// The refusals of logins that have changed.
  var keptLogins: [String] = []
  /// What the delegate was told of, for commands without a reply.
  var reportedFailures: [ConnectionFailure] = []
  var completions: [(count: Int, errors: Int, latencyNanoseconds: UInt64)] = []
  /// Called after each thing that was heard, before the condition is looked at.
  var onReply: (Int) -> Void = { _ in }
  var onReady: () -> Void = {}
  var onDown: (ConnectionDownReason) -> Void = { _ in }
  private var condition: () -> Bool = { false }
  private var reachedDeadline = false

  /// The failures among the outcomes.
  var failures: [ConnectionFailure] {
    outcomes.compactMap { if case .failure(let failure) = $0.outcome { failure } else { nil } }
  }

  init() throws {
    loop = try EventLoop()
  }

  /// Closes the loop, and lets go of what was captured.
  func finish() {
    loop.close()
    onReply = { _ in }
    onReady = {}
    onDown = { _ in }
  }

  func connection(to endpoint: StoreEndpoint, _ limits: ConnectionLimits = .quick) -> HiredisConnection {
    let connection = HiredisConnection(on: loop, endpoint: endpoint, limits: limits, delegate: self) { 0.5 }
    connection.connect()
    return connection
  }

  func connection(to redis: RedisServer, _ limits: ConnectionLimits = .quick) -> HiredisConnection {
    connection(to: StoreEndpoint(address: .unix(path: redis.socketPath)), limits)
  }

  /// A connection that has become ready.
  func readyConnection(
    to endpoint: StoreEndpoint,
    _ limits: ConnectionLimits = .quick,
    _ location: SourceLocation = #_sourceLocation
  ) -> HiredisConnection {
    let connection = connection(to: endpoint, limits)
    run(location) { connection.isReady }
    return connection
  }

  func readyConnection(
    to redis: RedisServer,
    _ limits: ConnectionLimits = .quick,
    _ location: SourceLocation = #_sourceLocation
  ) -> HiredisConnection {
    readyConnection(to: StoreEndpoint(address: .unix(path: redis.socketPath)), limits, location)
  }

  /// Runs the loop until `condition` holds; records an issue when it does not within the deadline.
  func run(
    deadline: Duration = .seconds(30),
    _ location: SourceLocation = #_sourceLocation,
    until condition: @escaping () -> Bool
  ) {
    self.condition = condition
    let timer = LoopTimer(on: loop) { [unowned self] in
      reachedDeadline = true
      loop.stop()
    }
    timer.schedule(after: deadline)
    if !condition() { loop.run() }
    timer.close()
    self.condition = { false }
    #expect(!reachedDeadline, "not in time; heard \(outcomes.suffix(3)), \(downs.suffix(3))", sourceLocation: location)
  }

  /// The same for a condition that may begin to hold without anything being heard.
  func poll(_ location: SourceLocation = #_sourceLocation, until condition: @escaping () -> Bool) {
    let timer = LoopTimer(on: loop) { [unowned self] in heard {} }
    timer.schedule(after: .milliseconds(5), repeating: .milliseconds(5))
    run(location, until: condition)
    timer.close()
  }

  /// Sends a command made of strings.
  func send(_ arguments: String..., on connection: HiredisConnection, token: Int = 0) {
    connection.send(encode(arguments.map { Array($0.utf8) }).span, to: self, token: token)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    var buffer = ByteBuffer()
    reply.encode(into: &buffer)
    // Checked here for the replies of all tests.
    let same = copy reply
    let isEncoded = buffer.withSpan { same.isEncoded(in: $0) }
    let isSingle = reply.kind != .array && reply.kind != .nil
    #expect(isEncoded == isSingle)
    outcomes.append((token, .reply(String(decoding: buffer.bytes, as: UTF8.self))))
    heard { onReply(token) }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    outcomes.append((token, .failure(failure)))
    heard { onReply(token) }
  }

  func connectionDidBecomeReady(_ connection: HiredisConnection, identity: ServerIdentity) {
    identities.append(identity)
    heard(onReady)
  }

  func connection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason) {
    downs.append(reason)
    heard { onDown(reason) }
  }

  func connection(_ connection: HiredisConnection, keepsFormerLogin detail: String) {
    keptLogins.append(detail)
  }

  func connectionWasClosedWhileIdle(_ connection: HiredisConnection, detail: String) {
    idleCloses.append(detail)
    heard {}
  }

  func connection(
    _ connection: HiredisConnection,
    didComplete count: Int,
    errors: Int,
    latencyNanoseconds: UInt64
  ) {
    completions.append((count, errors, latencyNanoseconds))
  }

  func connection(_ connection: HiredisConnection, didFail failure: ConnectionFailure) {
    reportedFailures.append(failure)
  }

  func heard(_ body: () -> Void) {
    body()
    if condition() { loop.stop() }
  }
}

extension ConnectionLimits {
  /// Limits for tests: trying again takes no time.
  static var quick: ConnectionLimits {
    ConnectionLimits(backoffBase: .milliseconds(2), backoffCap: .milliseconds(20))
  }
}

/// An array of bulk strings.
func encode(_ arguments: [[UInt8]]) -> [UInt8] {
  arguments.reduce(into: Array("*\(arguments.count)\r\n".utf8)) { bytes, argument in
    bytes += Array("$\(argument.count)\r\n".utf8) + argument + [13, 10]
  }
}
