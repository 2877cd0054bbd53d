import Logging
import MetricsTestKit
import MultiStore
import Synchronization
import TestSupport
import Testing

@Suite("Client: failures and the end")
struct ClientFailureTests {
  @Test func `an error reply is thrown with the store's words`() async throws {
    let harness = try await ClientHarness(dual: true)
    try await harness.client.send(.set("k", "v"))
    do {
      _ = try await harness.client.send(.rpush("k", "element"))
      Issue.record("a string took an element")
    } catch {
      #expect(error.code == .errorReply)
      #expect(error.message.hasPrefix("WRONGTYPE"))
      #expect(error.description.hasPrefix("errorReply: WRONGTYPE"))
    }
    await harness.client.close()
  }

  @Test(arguments: [
    ["SUBSCRIBE", "c"], ["MULTI"], ["EXEC"], ["WATCH", "k"], ["SELECT", "1"], ["AUTH", "p"], ["HELLO"], ["QUIT"],
    ["CLIENT", "REPLY", "OFF"], ["MONITOR"],
  ])
  func `what a shared connection can't bear is refused`(words: [String]) async throws {
    let harness = try await ClientHarness()
    let client = harness.client
    let alone = await code { () throws(MultiStoreError) in
      try await client.send(words: words)
    }
    #expect(alone == .unsupportedCommand)
    let inPipeline = await code { () throws(MultiStoreError) in
      try await client.pipelined {
        $0.append(.set("k", "v"))
        $0.append(words: words)
      }
    }
    #expect(inPipeline == .unsupportedCommand)
    #expect(try harness.ask(.secondary, "EXISTS", "k") == .integer(0))
    await client.close()
  }

  @Test func `removing every key has to be allowed, alone and among others`() async throws {
    let harness = try await ClientHarness(dual: true)
    try await harness.client.send(.set("k", "v"))
    let alone = await code { () throws(MultiStoreError) in try await harness.client.send(.flushdb()) }
    let inTransaction = await code { () throws(MultiStoreError) in
      try await harness.client.multi {
        $0.append(.set("l", "v"))
        $0.append("FLUSHALL")
      }
    }
    #expect(alone == .unsupportedCommand && inTransaction == .unsupportedCommand)
    #expect(try harness.ask(.secondary, "DBSIZE") == .integer(1))
    await harness.client.close()
  }

  @Test func `a wrong number of arguments is found before anything is sent`() async throws {
    let harness = try await ClientHarness()
    #expect(await code { () throws(MultiStoreError) in try await harness.client.send("GET") } == .invalidCommand)
    #expect(await code { () throws(MultiStoreError) in try await harness.client.send(.del()) } == .invalidCommand)
    let inTransaction = await code { () throws(MultiStoreError) in
      try await harness.client.multi { $0.append("SET", "k") }
    }
    #expect(inTransaction == .invalidCommand)
    #expect(try harness.commandsSeen(by: .secondary).isDisjoint(with: ["get", "set", "del", "multi"]))
    await harness.client.close()
  }

  @Test func `unlisted commands are rejected where the configuration says so`() async throws {
    let harness = try await ClientHarness { $0.unlistedCommands = .reject }
    #expect(
      await code { () throws(MultiStoreError) in try await harness.client.send("CONFIG", "GET", "port") }
        == .unsupportedCommand
    )
    #expect(harness.count("gitlab_redis_multi_store_method_missing_total", ("command", "config")) == 1)
    let replies = try await harness.client.pipelined {
      $0.append(.incr("n"))
      $0.append("CONFIG", "GET", "port")
      $0.append(.incr("n"))
    }
    #expect(replies[0] == .integer(1))
    #expect(replies[2] == .integer(2))
    #expect(try await harness.client.send("INFO", "server").text?.contains("run_id") == true)
    await harness.client.close()
  }

  /// Callers send the script's text when they get this error.
  @Test func `a digest that is not known is an error reply when both stores execute scripts`() async throws {
    let harness = try await ClientHarness(dual: true) { $0.scripts = .runOnBoth }
    let client = harness.client
    let digest = String(repeating: "0", count: 40)
    do {
      try await client.send("EVALSHA", digest, "0")
      Issue.record("the script was executed")
    } catch {
      #expect(error.code == .errorReply)
      #expect(error.message.hasPrefix("NOSCRIPT "))
    }
    let script = StoreCommand<String>("EVALSHA", digest, 0) { $0.text }
    let inPipeline = await code { () throws(MultiStoreError) in _ = try await client.pipelined(script, .incr("n")) }
    #expect(inPipeline == .errorReply)
    #expect(try harness.ask(.secondary, "GET", "n") == .text("1"))
    await client.close()
  }

  @Test func `a transaction with a script that differs between the stores is refused as a whole`() async throws {
    let harness = try await ClientHarness(dual: true) { $0.scripts = .runOnBoth }
    let refused = await code { () throws(MultiStoreError) in
      _ = try await harness.client.multi {
        $0.append(.incr("n"))
        $0.append("EVAL", "return redis.call('TIME')", "0")
      }
    }
    #expect(refused == .unsupportedCommand)
    #expect(try harness.ask(.secondary, "EXISTS", "n") == .integer(0))
    let replies = try await harness.client.pipelined {
      $0.append(.incr("n"))
      $0.append("COPY", "n", "m", "DB", "5")
      $0.append(.incr("n"))
    }
    #expect(replies[0] == .integer(1) && replies[2] == .integer(2))
    #expect(try harness.ask(.secondary, "GET", "n") == .text("2"))
    await harness.client.close()
  }

  @Test func `without the other store nothing fails`() async throws {
    let harness = try await ClientHarness(dual: true)
    harness.primary.kill()
    try await soon("the loss is noticed") { harness.client.status.problem(with: .primary) != nil }
    #expect(try await harness.client.send(.set("k", "v")))
    #expect(try await harness.client.send(.get("k", as: String.self)) == "v")
    let (count, value) = try await harness.client.pipelined(.incr("n"), .get("k", as: String.self))
    #expect(count == 1)
    #expect(value == "v")
    #expect(try await harness.client.multi { $0.append(.incr("n")) } == [.integer(2)])
    #expect(harness.count("multistore_copy_failures_total", ("store", "primary")) >= 2)
    try harness.primary.restart()
    try await soon("it is connected again") { harness.client.status.problem(with: .primary) == nil }
    #expect(try await harness.client.send(.set("k", "again")))
    #expect(try harness.ask(.primary, "GET", "k") == .text("again"))
    await harness.client.close()
  }

  @Test func `without the default store every call says so`() async throws {
    let harness = try await ClientHarness(dual: true)
    let client = harness.client
    harness.secondary.kill()
    try await soon("the loss is noticed") { client.status.problem(with: .secondary) != nil }
    #expect(await code { () throws(MultiStoreError) in try await client.send(.incr("n")) } == .storeUnavailable)
    #expect(await code { () throws(MultiStoreError) in try await client.send(.get("n")) } == .storeUnavailable)
    #expect(await code { () throws(MultiStoreError) in try await client.send(.eval("return 1")) } == .storeUnavailable)
    #expect(
      await code { () throws(MultiStoreError) in _ = try await client.pipelined(.incr("n"), .incr("n")) }
        == .storeUnavailable
    )
    #expect(
      await code { () throws(MultiStoreError) in try await client.multi { $0.append(.incr("n")) } } == .storeUnavailable
    )
    #expect(try harness.ask(.primary, "EXISTS", "n") == .integer(0))
    try harness.secondary.restart()
    try await soon("it is connected again") { client.status.problem(with: .secondary) == nil }
    #expect(try await client.send(.incr("n")) == 1)
    await client.close()
  }

  @Test func `a store that does not answer leaves the outcome unknown`() async throws {
    let harness = try await ClientHarness(commandTimeout: .seconds(1))
    harness.secondary.pause()
    #expect(await code { () throws(MultiStoreError) in try await harness.client.send(.incr("n")) } == .outcomeUnknown)
    harness.secondary.resume()
    await harness.client.close()
  }

  /// COMMAND INFO is sent over a connection that is opened for it.
  @Test func `a command on a connection of its own has the command timeout too`() async throws {
    let server = try RedisServer()
    let relay = try FaultRelay(to: server.address)
    let harness = try await ClientHarness(commandTimeout: .seconds(1)) { configuration in
      guard case .unix(let path) = relay.address else { return }
      configuration.secondary.endpoint = StoreEndpoint(address: .unix(path: path))
      configuration.secondary.limits.connectTimeout = ClientHarness.patience
    }
    // The handshake ends with PING.
    relay.conduct = RelayConduct(hangsAfter: .through(.simple("PONG")))
    let ended = Progress()
    async let outcome = code { () throws(MultiStoreError) in
      defer { ended.count.add(1, ordering: .relaxed) }
      try await harness.client.send("COMMAND", "INFO", "get")
    }
    // Should the call not end, the held reply ends it.
    do {
      try await soon("the call has ended") { ended.count.load(ordering: .relaxed) == 1 }
    } catch {
      Issue.record(error)
    }
    relay.conduct = .passing
    #expect(await outcome == .outcomeUnknown)
    await harness.client.close()
  }

  @Test func `commands over the limit are refused and counted`() async throws {
    let harness = try await ClientHarness(maxInFlightCommands: 3)
    let client = harness.client
    async let waiting = client.send(.blpop("jobs", timeout: ClientHarness.patience))
    try await soon("one is in flight") {
      try harness.ask(.secondary, "INFO", "clients").string?.contains("blocked_clients:1") == true
    }
    let refused = await code { () throws(MultiStoreError) in
      _ = try await client.pipelined(.incr("n"), .incr("n"), .incr("n"))
    }
    #expect(refused == .tooManyInFlight)
    #expect(harness.count("multistore_client_rejected_commands_total") == 3)
    let counts = try await client.pipelined(.incr("n"), .incr("n"))
    #expect(counts == (1, 2))
    try await client.send(.rpush("jobs", "job"))
    #expect(try await waiting != nil)
    await client.close()
  }

  @Test(arguments: [false, true]) func `a thousand at once all get their own replies`(dual: Bool) async throws {
    let harness = try await ClientHarness(dual: dual)
    let client = harness.client
    let sums = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<1000 {
        group.addTask {
          try await client.send(.set("key:\(number)", number))
          #expect(try await client.send(.get("key:\(number)", as: String.self)) == "\(number)")
          return try await client.send(.incr("total"))
        }
      }
      return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
    }
    #expect(sums == Set(1...1000))
    #expect(try harness.ask(.primary, "DBSIZE") == .integer(dual ? 1001 : 0))
    await client.close()
  }

  @Test func `closing waits for what is in flight`() async throws {
    let harness = try await ClientHarness(dual: true)
    let client = harness.client
    let started = Progress()
    let finished = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<200 {
        group.addTask {
          started.count.add(1, ordering: .relaxed)
          do {
            _ = try await client.send(.incr("n"))
            return true
          } catch let error as MultiStoreError where error.code == .closed {
            return false
          }
        }
      }
      try await soon("some were sent") { started.count.load(ordering: .relaxed) > 20 }
      await client.close()
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    // What was accepted was executed everywhere, what was refused nowhere.
    let expected: RESPReply = finished == 0 ? .null : .text("\(finished)")
    #expect(try harness.ask(.primary, "GET", "n") == expected)
    #expect(try harness.ask(.secondary, "GET", "n") == expected)
    #expect(await code { () throws(MultiStoreError) in try await client.send(.ping()) } == .closed)
    await client.close()
  }

  @Test func `closing ends what would wait for ever`() async throws {
    let harness = try await ClientHarness()
    let client = harness.client
    // As good as for ever; should the test fail before it closes, it ends all the same.
    async let waiting = code { () throws(MultiStoreError) in
      _ = try await client.send(.blpop("never", timeout: ClientHarness.patience))
    }
    try await soon("BLPOP waits") {
      try harness.ask(.secondary, "INFO", "clients").string?.contains("blocked_clients:1") == true
    }
    async let first: Void = client.close(within: .milliseconds(20))
    async let second: Void = client.close()
    _ = await (first, second)
    #expect(await waiting == .outcomeUnknown)
  }

  @Test func `closing also ends the commands behind one that would wait for ever`() async throws {
    let harness = try await ClientHarness()
    let client = harness.client
    async let waiting = client.pipelined { pipeline in
      for _ in 0..<2 { pipeline.append(.blpop("never", timeout: ClientHarness.patience)) }
    }
    try await harness.waitUntilBlocked(on: .secondary)
    await client.close(within: .milliseconds(20))
    let replies = try await waiting
    #expect(replies.count == 2)
    for reply in replies {
      if case .error = reply { continue }
      Issue.record("\(reply)")
    }
  }

  /// The default store's answer is the last that a call waits for, and comes right before the copy is sent.
  @Test func `closing waits for copies`() async throws {
    let harness = try await ClientHarness(
      dual: true,
      commandTimeout: ClientHarness.patience,
      maxInFlightCommands: 1
    ) {
      $0.writeAcknowledgement = .defaultStore
    }
    let client = harness.client
    // Two commands are always one too many, so that this is refused at once, and the refusal says what the client does.
    func refusal() async -> MultiStoreError? {
      do throws(MultiStoreError) {
        _ = try await client.pipelined { pipeline in
          pipeline.append("PING")
          pipeline.append("PING")
        }
        return nil
      } catch { return error }
    }
    // What the stores are asked when they have just connected is answered by then, and no longer in flight.
    try await client.send(.set("k", "first"))
    try await soon("its copy is there") { try harness.ask(.primary, "GET", "k") == .text("first") }
    harness.secondary.pause()
    harness.primary.pause()
    async let answer = client.send(.set("k", "v"))
    try await soon("it is in flight") { await refusal()?.message.hasPrefix("1 commands are in flight") == true }
    async let closing: Void = client.close(within: ClientHarness.patience)
    try await soon("it is closing") { await refusal()?.code == .closed }
    harness.secondary.resume()
    #expect(try await answer)
    harness.primary.resume()
    await closing
    #expect(try harness.ask(.primary, "GET", "k") == .text("v"))
    #expect(harness.count("multistore_copy_failures_total") == 0)
  }

  @Test func `a client that nobody holds sends the copies that it has`() async throws {
    let harness = try await ClientHarness()
    for number in 0..<20 {
      var configuration = harness.client.configuration
      configuration.writeAcknowledgement = .defaultStore
      let flags = FeatureFlags(instanceName: "sessions")
      flags.exchange(FlagState(dualWrite: true, primaryAsDefault: false))
      let client = try MultiStoreClient(
        configuration: configuration,
        flags: flags,
        logger: .init(label: "test") { [log = harness.log] _ in log }
      )
      // It writes to both when it has seen that they are not the same one.
      try await soon("it is connected") {
        client.status.problem(with: .primary) == nil && client.status.problem(with: .secondary) == nil
      }
      try await client.send(.set("k", number))
    }
    try await soon("the last copy is there") { try harness.ask(.primary, "GET", "k") == .text("19") }
    await harness.client.close()
  }

  @Test func `a client that nobody holds is gone with its connections`() async throws {
    let harness = try await ClientHarness()
    weak var forgotten: MultiStoreClient?
    do {
      let client = try MultiStoreClient(
        configuration: harness.client.configuration,
        flags: harness.flags,
        logger: .init(label: "test") { [log = harness.log] _ in log }
      )
      #expect(try await client.send(.incr("n")) == 1)
      forgotten = client
    }
    try await soon("it is gone") { forgotten == nil }
    await harness.client.close()
    // Only the one who asks is connected any more.
    try await soon("the connections are closed") {
      try harness.ask(.secondary, "INFO", "clients").string?.contains("connected_clients:1\r\n") == true
    }
  }

  @Test func `an instance whose stores are not there can be started and closed`() async throws {
    let directory = try TemporaryDirectory()
    let client = try MultiStoreClient(
      configuration: MultiStoreConfiguration(
        name: "sessions",
        primary: nil,
        secondary: .init(endpoint: StoreEndpoint(address: .unix(path: directory.path("nobody"))))
      ),
      flags: FeatureFlags(instanceName: "sessions"),
      logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
    #expect(await code { () throws(MultiStoreError) in try await client.send(.ping()) } == .storeUnavailable)
    #expect(client.status.problem(with: .secondary) != nil)
    await client.close()
  }
}

/// How many tasks have begun, or have ended.
private final class Progress: Sendable {
  let count = Atomic(0)
}

extension MultiStoreClient {
  fileprivate func send(words: [String]) async throws(MultiStoreError) {
    switch words.count {
    case 1: try await send(words[0])
    case 2: try await send(words[0], words[1])
    default: try await send(words[0], words[1], words[2])
    }
  }
}

extension CommandPipeline {
  fileprivate mutating func append(words: [String]) {
    switch words.count {
    case 1: append(words[0])
    case 2: append(words[0], words[1])
    default: append(words[0], words[1], words[2])
    }
  }
}
