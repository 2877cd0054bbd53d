import EventLoop
import Glibc
import Testing

import class TestSupport.RedisServer

@testable import Hiredis

@Suite struct LifetimeTests {
  /// Closed from within a receiver, with more replies already read.
  @Test func closesWithinAReceiver() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    harness.onReply = { token in
      if token == 2 { connection.close() }
    }
    for token in 0..<6 { harness.send("PING", on: connection, token: token) }
    harness.run { harness.outcomes.count == 6 }
    #expect(harness.outcomes.map(\.token) == Array(0..<6))
    #expect(harness.outcomes.prefix(3).allSatisfy { $0.outcome == .reply("+PONG\r\n") })
    #expect(harness.outcomes.suffix(3).allSatisfy { $0.outcome == .failure(.closed) })
    harness.send("PING", on: connection, token: 6)
    harness.run { harness.outcomes.count == 7 }
    #expect(harness.outcomes[6].outcome == .failure(.closed))
    #expect(harness.downs.isEmpty)
  }

  @Test func isDroppedWithinAReceiver() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var connection: HiredisConnection? = harness.connection(to: redis)
    weak let observed = connection
    harness.run { observed?.isReady == true }
    harness.onReply = { token in
      if token == 0 { connection = nil }
    }
    if let connection {
      for token in 0..<3 { harness.send("PING", on: connection, token: token) }
    }
    harness.run { harness.outcomes.count == 3 }
    #expect(observed == nil)
    #expect(harness.outcomes.map(\.token) == [0, 1, 2])
    // What had been read with the first reply is still delivered.
    #expect(harness.outcomes.allSatisfy { $0.outcome == .reply("+PONG\r\n") || $0.outcome == .failure(.closed) })
    #expect(harness.outcomes[0].outcome == .reply("+PONG\r\n"))
  }

  @Test func isDroppedWhileItConnects() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var connection: HiredisConnection? = harness.connection(to: redis)
    if let connection { harness.send("PING", on: connection) }
    connection = nil
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.outcomes[0].outcome == .failure(.closed))
  }

  @Test func sendsWithinAReceiver() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: redis)
    harness.onReply = { token in
      if token < 500 { harness.send("INCR", "counter", on: connection, token: token + 1) }
    }
    harness.send("INCR", "counter", on: connection, token: 1)
    harness.run { harness.outcomes.count == 500 }
    #expect(harness.outcomes.last?.outcome == .reply(":500\r\n"))
    connection.close()
  }

  /// hiredis' own asynchronous layer would stop the process at either of these.
  @Test(arguments: ["+SURPRISE\r\n", "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n", "-ERR going down\r\n"])
  func survivesAStoreThatSpeaksUnasked(surprise: String) throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    let connection = harness.readyConnection(to: StoreEndpoint(address: store.address))
    store.streams[0].say(surprise)
    harness.run { !harness.downs.isEmpty }
    #expect(harness.downs[0].kind == .lost)
    #expect(harness.downs[0].detail == "the store sent something that nobody had asked for")
    harness.run { connection.isReady }
    connection.close()
  }

  @Test func survivesAStoreThatAnswersTwice() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    store.onCommand = { stream, _ in stream.say("+ONE\r\n+TWO\r\n") }
    let connection = harness.readyConnection(to: StoreEndpoint(address: store.address))
    harness.send("PING", on: connection)
    harness.run { !harness.downs.isEmpty }
    #expect(harness.outcomes.map(\.outcome) == [.reply("+ONE\r\n")])
    #expect(harness.downs[0].detail == "the store sent something that nobody had asked for")
    connection.close()
  }

  /// The reason for which the connection ends when a store answers a command with `text`.
  private func lossReason(ofStoreSaying text: String) throws -> String {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    store.onCommand = { stream, _ in stream.say(text) }
    let connection = harness.readyConnection(to: StoreEndpoint(address: store.address))
    defer { connection.close() }
    harness.send("PING", on: connection)
    harness.run { harness.outcomes.count == 1 }
    guard case .failure(.connectionLost(let reason)) = harness.outcomes[0].outcome else {
      Issue.record("\(harness.outcomes)")
      return ""
    }
    return reason
  }

  @Test func survivesAStoreThatSpeaksSomethingElse() throws {
    #expect(try lossReason(ofStoreSaying: "HTTP/1.1 400 Bad Request\r\n\r\n").contains("Protocol error"))
  }

  /// hiredis would look at each of the elements to free them, which takes seconds.
  @Test(arguments: ["*2147483647\r\n", "*2\r\n:1\r\n*2147483647\r\n:1\r\n"])
  func forgetsAnArrayThatDoesNotCome(reply: String) throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    store.onCommand = { stream, _ in
      stream.say(reply)
      stream.closeAfterWriting()
    }
    let connection = harness.readyConnection(to: StoreEndpoint(address: store.address))
    let start = Self.processorTime
    harness.send("PING", on: connection)
    harness.run { harness.outcomes.count == 1 }
    guard case .failure(.connectionLost) = harness.outcomes[0].outcome else {
      Issue.record("\(harness.outcomes)")
      return
    }
    #expect(Self.processorTime - start < .seconds(2))
    connection.close()
  }

  /// hiredis would look through all of it each time that more of it arrives.
  @Test func giveUpOnALineWithoutAnEnd() throws {
    let line = "-ERR " + String(repeating: "x", count: 3 << 20)
    #expect(try lossReason(ofStoreSaying: line).hasSuffix("a line of a reply has no end"))
  }

  /// The processor time of this thread, which is also the loop's.
  private static var processorTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  @Test func survivesALengthThatNoMemoryHolds() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    store.onCommand = { stream, _ in
      stream.say("$\(Int.max)\r\n" + String(repeating: "v", count: 1_000_000))
      stream.closeAfterWriting()
    }
    let connection = harness.readyConnection(to: StoreEndpoint(address: store.address))
    harness.send("PING", on: connection)
    harness.run { harness.outcomes.count == 1 }
    guard case .failure(.connectionLost) = harness.outcomes[0].outcome else {
      Issue.record("\(harness.outcomes)")
      return
    }
    connection.close()
  }

  @Test func repliesBeforeAnEndAreDelivered() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    store.onCommand = { stream, _ in
      stream.say("+LAST\r\n")
      stream.closeAfterWriting()
    }
    let connection = harness.readyConnection(to: StoreEndpoint(address: store.address))
    harness.send("PING", on: connection, token: 0)
    harness.send("PING", on: connection, token: 1)
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.outcomes[0].outcome == .reply("+LAST\r\n"))
    guard case .failure(.connectionLost) = harness.outcomes[1].outcome else {
      Issue.record("\(harness.outcomes)")
      return
    }
    connection.close()
  }

  @Test func theLoopClosesWhatIsLeft() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    harness.send("PING", on: connection)
    harness.loop.close()
    #expect(harness.outcomes.count == 1)
    guard case .failure = harness.outcomes.first?.outcome else {
      Issue.record("\(harness.outcomes)")
      return
    }
  }
}

@Suite struct BackoffTests {
  @Test func doublesUpToItsCap() {
    var backoff = Backoff(base: .milliseconds(100), cap: .seconds(1)) { 1 }
    #expect((0..<6).map { _ in backoff.next() } == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
    #expect(backoff.attempt == 6)
  }

  @Test func beginsAnewAfterALossButNoFasterThanItsBase() {
    var backoff = Backoff(base: .milliseconds(100), cap: .seconds(1)) { 1 }
    for _ in 0..<4 { _ = backoff.next() }
    #expect(backoff.restart(after: .milliseconds(30)) == .milliseconds(70))
    #expect(backoff.attempt == 1)
    #expect(backoff.restart(after: .seconds(3)) == .zero)
    #expect(backoff.next() == .milliseconds(200))
  }

  @Test func isSpreadByChance() {
    var backoff = Backoff(base: .milliseconds(100), cap: .seconds(1)) { 0.5 }
    #expect(backoff.next() == .milliseconds(75))
    #expect(backoff.next() == .milliseconds(150))
  }
}
