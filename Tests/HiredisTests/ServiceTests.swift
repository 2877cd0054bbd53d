import EventLoop
import Testing

import class TestSupport.RedisServer

@testable import Hiredis

/// A store that is dispensable: nothing waits for it for longer than its timeout, and after that nothing at all.
@Suite struct ServiceTests {
  private static let timeout = Duration.milliseconds(200)
  /// For commands that are to be answered: a busy machine may take longer than ``timeout`` for any of them.
  private static let ample = Duration.seconds(20)

  private func bestEffortConnection(_ harness: Harness, to redis: RedisServer) -> HiredisConnection {
    let connection = harness.connection(to: redis)
    connection.service = .bestEffort(timeout: Self.timeout)
    harness.run { connection.isReady }
    return connection
  }

  @Test func theFirstCommandToAHangingStoreWaitsAndFurtherOnesFailAtOnce() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = bestEffortConnection(harness, to: redis)
    redis.pause()
    harness.send("PING", on: connection, token: 0)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.failures == [.timedOut])
    // Connections are accepted by the kernel, and handshakes are not answered.
    for token in 1...50 {
      harness.send("PING", on: connection, token: token)
      #expect(!connection.takesCommands)
      harness.run { harness.outcomes.count == token + 1 }
    }
    for failure in harness.failures.dropFirst() {
      #expect(!failure.mayHaveBeenExecuted, "\(failure)")
    }
    redis.resume()
    connection.close()
  }

  @Test func aStoreThatHungHasToAnswerProbesFirst() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = bestEffortConnection(harness, to: redis)
    let operatorClient = try redis.client()
    // Writes and scripts wait, and handshakes are answered.
    let hash = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"
    #expect(try operatorClient.command("SCRIPT", "LOAD", "return 1") == .text(hash))
    connection.probe = encode(["EVALSHA", hash, "0"].map { Array($0.utf8) })
    #expect(try operatorClient.command("CLIENT", "PAUSE", "60000", "WRITE") == .ok)
    harness.send("SET", "k", "v", on: connection, token: 1)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.failures == [.timedOut])
    harness.run { harness.downs.contains { $0.detail.contains("probe") } }
    #expect(harness.identities.count == 1, "it was not used meanwhile")
    #expect(try operatorClient.command("CLIENT", "UNPAUSE") == .ok)
    harness.run { harness.identities.count == 2 }
    connection.service = .bestEffort(timeout: Self.ample)
    harness.send("SET", "k", "w", on: connection, token: 2)
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.outcomes[1].outcome == .reply("+OK\r\n"))
    connection.close()
  }

  @Test func aStoreThatBecomesIndispensableIsUsedAtOnce() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = bestEffortConnection(harness, to: redis)
    redis.pause()
    harness.send("SET", "k", "v", on: connection, token: 0)
    harness.run { harness.outcomes.count == 1 }
    // A reply that comes at once would hardly be awaited at any look.
    connection.probe = encode(["DEBUG", "SLEEP", "0.05"].map { Array($0.utf8) })
    redis.resume()
    harness.poll { connection.machine.phase == .awaitingProbe }
    connection.service = .patient
    #expect(connection.isReady)
    harness.send("ECHO", "at once", on: connection, token: 1)
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.outcomes[1].outcome == .reply("$7\r\nat once\r\n"), "a probe's reply is not the command's")
    connection.close()
  }

  /// A message between two probes ends the connection, and not the process.
  @Test func aStoreThatSpeaksBetweenProbesIsNotUsed() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    let connection = harness.connection(to: StoreEndpoint(address: store.address))
    connection.service = .bestEffort(timeout: Self.timeout)
    harness.run { connection.isReady }
    harness.send("PING", on: connection, token: 0)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.failures == [.timedOut])
    store.onCommand = { stream, _ in stream.say("+PONG\r\n+SURPRISE\r\n") }
    let downs = harness.downs.count
    harness.run { harness.downs.count > downs }
    #expect(harness.downs.last?.detail == "the store sent something that nobody had asked for")
    #expect(harness.identities.count == 1, "it was not used meanwhile")
    connection.close()
  }

  @Test func commandsWaitForTheFirstAttemptNoLongerThanForAReply() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop, handshake: ["", "", ""])
    let connection = harness.connection(to: StoreEndpoint(address: store.address))
    connection.service = .bestEffort(timeout: Self.timeout)
    harness.send("PING", on: connection, token: 0)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.downs.isEmpty, "the attempt goes on for as long as connect_timeout allows")
    #expect(harness.failures.allSatisfy { !$0.mayHaveBeenExecuted } && harness.failures.count == 1)
    #expect(!connection.takesCommands)
    connection.close()
  }

  @Test func commandsWaitForAConnectionThatIsMadeAgain() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = bestEffortConnection(harness, to: redis)
    connection.service = .bestEffort(timeout: Self.ample)
    let killer = try redis.client()
    for round in 1...10 {
      _ = try killer.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      harness.run { harness.idleCloses.count == round }
      #expect(connection.takesCommands)
      harness.send("ECHO", "\(round)", on: connection, token: round)
      harness.run { harness.outcomes.count == round }
    }
    #expect(harness.failures.isEmpty && harness.downs.isEmpty)
    connection.close()
  }
}

/// Connections that end with commands in flight.
@Suite struct OrphanTests {
  /// The store has them in its socket still, and would execute them over newer writes.
  @Test func commandsOfAConnectionThatTimedOutAreNotExecutedLater() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var limits = ConnectionLimits.quick
    limits.commandTimeout = .milliseconds(100)
    let connection = HiredisConnection(
      on: harness.loop,
      endpoint: StoreEndpoint(address: .unix(path: redis.socketPath)),
      limits: limits,
      delegate: harness
    ) { 0.5 }
    connection.handshake.asksForClientID = true
    connection.connect()
    harness.run { connection.isReady }
    let first = try #require(connection.clientID)
    redis.pause()
    let value = String(repeating: "v", count: 50_000)
    for token in 0..<40 { harness.send("SET", "k", value + "\(token)", on: connection, token: token) }
    harness.run { harness.outcomes.count == 40 }
    redis.resume()
    harness.run { connection.isReady }
    // This one is to be answered.
    connection.deadline.timeout = .seconds(20)
    harness.send("SET", "k", "newer", on: connection, token: 40)
    harness.run { harness.outcomes.count == 41 }
    let observer = try redis.client()
    let clients = try observer.command("CLIENT", "LIST").string ?? ""
    #expect(!clients.contains("id=\(first) "), "\(clients)")
    #expect(try observer.command("GET", "k") == .text("newer"))
    connection.close()
  }

  @Test func anotherProcessIsNotToldToCloseAConnection() {
    let endpoint = StoreEndpoint(address: .unix(path: "/nowhere"))
    let orphan = Orphan(clientID: 7, runID: "before")
    var options = HandshakeOptions()
    options.asksForClientID = true
    let handshake = Handshake(endpoint: endpoint, options, orphan: orphan)
    #expect(handshake.commands.count == 4)
    #expect(!handshake.commands.contains { String(decoding: $0, as: UTF8.self).contains("KILL") })
  }
}

@Suite struct KeepAliveTests {
  @Test func anIdleConnectionIsKeptByAPing() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = HiredisConnection(
      on: harness.loop,
      endpoint: StoreEndpoint(address: .unix(path: redis.socketPath)),
      limits: .quick,
      delegate: harness
    )
    connection.keepsAlive = true
    connection.connect()
    harness.run { connection.isReady }
    let replies = connection.replyCount
    // As a server's `timeout` does, many times.
    let killer = try redis.client()
    var closed = 0
    while let interval = connection.keepAlive?.interval, interval > KeepAlive.shortestInterval {
      _ = try killer.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      closed += 1
      harness.run { harness.idleCloses.count == closed && connection.isReady }
    }
    #expect(closed <= 5)
    harness.poll { connection.replyCount >= replies + 3 }
    #expect(harness.downs.isEmpty && harness.completions.isEmpty, "nobody hears of it")
    connection.close()
  }
}
