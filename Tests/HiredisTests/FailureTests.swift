import EventLoop
import Testing

import class TestSupport.RedisServer
import func TestSupport.eventually

@testable import Hiredis

@Suite struct FailureTests {
  @Test func survivesTheServersDeath() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    redis.pause()
    harness.onDown = { reason in
      guard reason.attempt == 1 else { return }
      // It waits for the next attempt, which begins at once, and fails with it, but not from within send.
      let heard = harness.outcomes.count
      harness.send("PING", on: connection, token: 100)
      #expect(harness.outcomes.count == heard)
    }
    for token in 0..<100 { harness.send("PING", on: connection, token: token) }
    harness.loop.execute { redis.kill() }
    harness.run { harness.outcomes.count == 101 }
    #expect(harness.outcomes.map(\.token) == Array(0...100))
    for (_, outcome) in harness.outcomes.prefix(100) {
      guard case .failure(.connectionLost) = outcome else {
        Issue.record("\(outcome)")
        continue
      }
    }
    #expect(harness.downs.first?.kind == .lost)
    #expect(harness.reportedFailures == harness.failures)
    guard case .failure(.notConnected(let reason)) = harness.outcomes[100].outcome else {
      Issue.record("\(harness.outcomes[100])")
      return
    }
    #expect(reason.hasPrefix("connecting failed"))
    harness.run { harness.downs.count >= 3 }
    #expect(harness.downs[1].kind == .connectFailed)
    #expect(harness.downs.map(\.attempt) == Array(1...harness.downs.count))
    try redis.restart()
    harness.run { connection.isReady }
    harness.send("PING", on: connection, token: 101)
    harness.run { harness.outcomes.count == 102 }
    #expect(harness.outcomes[101].outcome == .reply("+PONG\r\n"))
    connection.close()
  }

  @Test func aRefusedWriteIsReportedToTheLocator() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    store.onCommand = { stream, command in
      stream.say(command.contains("SET") ? "-READONLY You can't write against a read only replica.\r\n" : "-ERR no\r\n")
    }
    let locator = RefusedWrites()
    let connection = harness.connection(to: StoreEndpoint(address: store.address))
    connection.locator = locator
    harness.run { connection.isReady }
    harness.send("GET", "k", on: connection, token: 0)
    harness.run { harness.outcomes.count == 1 }
    #expect(locator.count == 0)
    harness.send("SET", "k", "v", on: connection, token: 1)
    harness.run { harness.outcomes.count == 2 }
    #expect(locator.count == 1)
    connection.close()
  }

  private final class RefusedWrites: ServerLocator {
    private(set) var count = 0

    func locate(for connection: HiredisConnection) {}

    func serverRefusedWrite(of connection: HiredisConnection) { count += 1 }

    func leave(_ connection: HiredisConnection) {}
  }

  @Test func queuedCommandsFailWithTheAttempt() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: StoreEndpoint(address: .unix(path: "/nonexistent/socket")))
    harness.send("PING", on: connection, token: 1)
    harness.send("PING", on: connection, token: 2)
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.outcomes.map(\.token) == [1, 2])
    for (_, outcome) in harness.outcomes {
      guard case .failure(let failure) = outcome else {
        Issue.record("\(outcome)")
        continue
      }
      #expect(!failure.mayHaveBeenExecuted)
      #expect(failure.description.contains("No such file or directory"))
    }
    connection.close()
  }

  @Test func commandTimesOut() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var limits = ConnectionLimits.quick
    limits.commandTimeout = .milliseconds(200)
    let connection = harness.readyConnection(to: redis, limits)
    redis.pause()
    harness.send("ECHO", "late", on: connection, token: 0)
    harness.send("PING", on: connection, token: 1)
    harness.run { harness.outcomes.count == 2 }
    redis.resume()
    #expect(harness.outcomes[0].outcome == .failure(.timedOut))
    guard case .failure(.connectionLost) = harness.outcomes[1].outcome else {
      Issue.record("\(harness.outcomes[1])")
      return
    }
    #expect(harness.downs.map(\.kind) == [.commandTimedOut])
    // A fresh connection has nothing to do with the late reply. On a busy machine its own may be late, too.
    try eventually("a reply is in time") {
      harness.run { connection.isReady }
      let count = harness.outcomes.count
      harness.send("ECHO", "fresh", on: connection, token: 2)
      harness.run { harness.outcomes.count > count }
      return harness.outcomes.last?.outcome != .failure(.timedOut)
    }
    #expect(harness.outcomes.last?.outcome == .reply("$5\r\nfresh\r\n"))
    connection.close()
  }

  /// And it takes nothing from a store that hangs afterwards.
  @Test func aLongCommandHasTimeOfItsOwn() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var limits = ConnectionLimits.quick
    limits.commandTimeout = .milliseconds(200)
    let connection = harness.readyConnection(to: redis, limits)
    connection.longCommandBegan(allowance: .seconds(20))
    harness.send("DEBUG", "SLEEP", "0.6", on: connection, token: 0)
    harness.send("PING", on: connection, token: 1)
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.outcomes.map(\.outcome) == [.reply("+OK\r\n"), .reply("+PONG\r\n")])
    redis.pause()
    harness.send("ECHO", "late", on: connection, token: 2)
    connection.longCommandEnded()
    harness.run { harness.outcomes.count == 3 }
    redis.resume()
    #expect(harness.outcomes[2].outcome == .failure(.timedOut))
    connection.close()
  }

  /// The reply is there in time, it is only the loop that looks late.
  @Test func aLateLoopIsNotALateStore() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var limits = ConnectionLimits.quick
    limits.commandTimeout = .milliseconds(20)
    let connection = harness.readyConnection(to: redis, limits)
    // Runs after the command was written, and keeps the loop busy for longer than the timeout, until the store has
    // answered: what it answers in a later turn of its own says so.
    let other = try redis.client()
    let worker = BusyOnce(.milliseconds(60)) {
      for _ in 0..<2 { #expect(throws: Never.self) { try other.command("PING") } }
    }
    harness.send("PING", on: connection)
    harness.loop.atEndOfTurn(worker)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.outcomes.map(\.outcome) == [.reply("+PONG\r\n")])
    #expect(harness.downs.isEmpty)
    connection.close()
  }

  @Test func aReplyTooDeepCostsOnlyItsConnection() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: redis)
    let other = harness.connection(to: redis)
    harness.run { connection.isReady && other.isReady }
    let nested = String(repeating: "{", count: 9) + "1" + String(repeating: "}", count: 9)
    harness.send("PING", on: connection, token: 0)
    harness.send("EVAL", "return " + nested, "0", on: connection, token: 1)
    harness.send("PING", on: connection, token: 2)
    harness.run { harness.outcomes.count == 3 }
    #expect(harness.outcomes[0].outcome == .reply("+PONG\r\n"))
    guard case .failure(let deep) = harness.outcomes[1].outcome,
      case .failure(let neighbour) = harness.outcomes[2].outcome
    else {
      Issue.record("\(harness.outcomes)")
      return
    }
    #expect(deep.isReplyTooDeep && deep.mayHaveBeenExecuted)
    #expect(!neighbour.isReplyTooDeep && neighbour.mayHaveBeenExecuted)
    #expect(other.isReady)
    harness.run { connection.isReady }
    harness.send("EVAL", "return " + nested.dropFirst().dropLast(), "0", on: connection, token: 3)
    harness.run { harness.outcomes.count == 4 }
    #expect(harness.outcomes[3].outcome == .reply(String(repeating: "*1\r\n", count: 8) + ":1\r\n"))
    connection.close()
    other.close()
  }

  @Test func refusesWhatIsTooMuch() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var limits = ConnectionLimits.quick
    limits.maxQueuedCommands = 3
    let connection = harness.connection(to: redis, limits)
    for token in 0..<5 { harness.send("PING", on: connection, token: token) }
    #expect(connection.inFlightCount == 3)
    harness.run { harness.outcomes.count == 5 }
    #expect(harness.outcomes.map(\.token) == Array(0..<5))
    #expect(harness.outcomes[2].outcome == .reply("+PONG\r\n"))
    #expect(harness.outcomes[3].outcome == .failure(.queueFull(limit: 3)))
    #expect(harness.outcomes[4].outcome == .failure(.queueFull(limit: 3)))
    connection.close()
  }

  @Test func refusesTooManyBytesForAStoreThatDoesNotRead() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var limits = ConnectionLimits.quick
    limits.maxQueuedBytes = 3_000_000
    let connection = harness.readyConnection(to: redis, limits)
    redis.pause()
    let value = String(repeating: "v", count: 1_000_000)
    // The sockets' buffers take some of them.
    for token in 0..<32 { harness.send("SET", "key", value, on: connection, token: token) }
    #expect(connection.queuedBytes <= 3_000_000)
    #expect(connection.queuedBytes > 2_000_000)
    let taken = connection.inFlightCount
    #expect(taken >= 3 && taken < 32)
    redis.resume()
    harness.run { harness.outcomes.count == 32 }
    #expect(harness.outcomes.map(\.token) == Array(0..<32))
    #expect(harness.outcomes[..<taken].allSatisfy { $0.outcome == .reply("+OK\r\n") })
    #expect(harness.outcomes[taken...].allSatisfy { $0.outcome == .failure(.queueFull(limit: 3_000_000)) })
    connection.close()
  }
}

@Suite struct DrainTests {
  /// How a congested connection stops being one.
  enum End: CaseIterable {
    case drained, lost, closed
  }

  @Test(arguments: End.allCases) func tellsThoseWhoWaitUntilItHasDrained(end: End) throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    #expect(!connection.isCongested)
    redis.pause()
    let value = String(repeating: "v", count: 1_000_000)
    var sent = 0
    while !connection.isCongested, sent < 64 {
      harness.send("SET", "key", value, on: connection, token: sent)
      sent += 1
    }
    #expect(connection.isCongested)
    let waiters = (0..<2).map { _ in Waiter() }
    for waiter in waiters { connection.whenDrained(waiter) }
    #expect(waiters.map(\.calls) == [0, 0])
    switch end {
    case .drained: redis.resume()
    case .lost: redis.kill()
    case .closed:
      connection.close()
      redis.resume()
    }
    harness.run { harness.outcomes.count == sent }
    #expect(waiters.map(\.calls) == [1, 1])
    #expect(!connection.isCongested)
    #expect((harness.failures.isEmpty) == (end == .drained))
    connection.close()
  }

  /// Each is told when all is written that was sent before, and what the one before it has sent; if that was nothing,
  /// it is told all the same.
  @Test(arguments: [true, false]) func tellsOneAfterTheOther(sends: Bool) throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    redis.pause()
    let (small, large) = (String(repeating: "s", count: 1000), String(repeating: "l", count: 8_000_000))
    // More than is handed over at once, so that some is held back.
    while connection.queuedBytes < 3_000_000 { harness.send("SET", "key", small, on: connection) }
    #expect(connection.isCongested)
    let waiters = (0..<4).map { _ in Waiter() }
    var unwritten: [Int] = []
    for waiter in waiters {
      waiter.onDrain = {
        unwritten.append(connection.queuedBytes)
        if sends { harness.send("SET", "key", large, on: connection) }
        // Its reply has the condition looked at once more.
        if unwritten.count == 4 { harness.send("PING", on: connection) }
      }
      connection.whenDrained(waiter)
    }
    #expect(unwritten.isEmpty)
    redis.resume()
    harness.run { unwritten.count == 4 && connection.inFlightCount == 0 }
    #expect(waiters.map(\.calls) == [1, 1, 1, 1])
    #expect(unwritten == [0, 0, 0, 0])
    connection.close()
  }

  private final class Waiter: DrainWaiter {
    private(set) var calls = 0
    var onDrain: () -> Void = {}

    func connectionDidDrain() {
      calls += 1
      onDrain()
    }
  }
}

/// Keeps its loop from looking at sockets for a while, and for as long as a closure takes, once.
final class BusyOnce: EndOfTurnWorker {
  private let duration: Duration
  private let body: () -> Void

  init(_ duration: Duration, _ body: @escaping () -> Void) {
    self.duration = duration
    self.body = body
  }

  func endOfTurn() {
    let end = ContinuousClock.now + duration
    body()
    while ContinuousClock.now < end {}
  }
}
