import RESP
import Testing

import class TestSupport.RedisServer

@testable import Hiredis

/// Commands that are sent together, because they lie one behind the other in memory.
@Suite struct RunOfCommandsTests {
  /// The state in which the connection gets the run, which decides whether it is sent as a whole.
  enum Way: CaseIterable {
    case ready, notReady, behindLingering, notUrgent, large
  }

  @Test(arguments: Way.allCases)
  func `its replies come in the order of all commands, each with its token`(way: Way) throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = way == .notReady ? harness.connection(to: redis) : harness.readyConnection(to: redis)
    let before = encode(["ECHO", "before"].map { Array($0.utf8) })
    connection.send(before.span, to: harness, token: 1, isUrgent: way != .behindLingering)
    let padding = String(repeating: "x", count: way == .large ? HiredisConnection.mostRunBytes : 0)
    send(
      run: ["a\(padding)", "bb", "ccc"],
      on: connection,
      to: harness,
      token: 10,
      step: 5,
      isUrgent: way != .notUrgent
    )
    harness.send("ECHO", "after", on: connection, token: 2)
    #expect(connection.inFlightCount == 5)
    harness.run { harness.outcomes.count == 5 }
    #expect(harness.outcomes.map(\.token) == [1, 10, 15, 20, 2])
    let replies = ["before", "a\(padding)", "bb", "ccc", "after"].map { Outcome.reply("$\($0.count)\r\n\($0)\r\n") }
    #expect(harness.outcomes.map(\.outcome) == replies)
    #expect(harness.completions.map(\.count).reduce(0, +) == 5)
    connection.close()
  }

  @Test(arguments: [true, false]) func `its commands beyond the queue's bound are refused in their turn`(isReady: Bool)
    throws
  {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var limits = ConnectionLimits.quick
    limits.maxQueuedCommands = 3
    let connection = isReady ? harness.readyConnection(to: redis, limits) : harness.connection(to: redis, limits)
    send(run: ["a", "b", "c", "d", "e"], on: connection, to: harness, token: 0, step: 1)
    #expect(connection.inFlightCount == 3)
    harness.run { harness.outcomes.count == 5 }
    #expect(harness.outcomes.map(\.token) == [0, 1, 2, 3, 4])
    #expect(harness.outcomes[2].outcome == .reply("$1\r\nc\r\n"))
    #expect(harness.failures == [.queueFull(limit: 3), .queueFull(limit: 3)])
    connection.close()
  }

  @Test func `it fails as a whole when the store is lost`() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    send(run: ["a", "b"], on: connection, to: harness, token: 0, step: 1)
    connection.close()
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.outcomes.map(\.token) == [0, 1])
    #expect(harness.failures == [.closed, .closed])
  }

  /// Sends an ECHO of each of `texts`.
  private func send(
    run texts: [String],
    on connection: HiredisConnection,
    to harness: Harness,
    token: Int,
    step: Int,
    isUrgent: Bool = true
  ) {
    let commands = texts.map { encode([Array("ECHO".utf8), Array($0.utf8)]) }
    let bytes = commands.flatMap { $0 }
    connection.send(
      run: bytes.span,
      of: commands.count,
      to: harness,
      token: token,
      tokenStep: step,
      isUrgent: isUrgent
    ) { commands[$0].count }
  }
}
