import EventLoop
import RESP
import Testing

import class TestSupport.RedisServer

@testable import Hiredis

@Suite struct HandshakeTests {
  @Test func logsInWithAPassword() throws {
    let redis = try RedisServer(password: "open sesame")
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(
      to: StoreEndpoint(address: .unix(path: redis.socketPath), password: "open sesame")
    )
    harness.send("PING", on: connection)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.outcomes[0].outcome == .reply("+PONG\r\n"))
    connection.close()
  }

  @Test func `a password file is read again for each connection`() throws {
    let redis = try RedisServer(password: "first")
    let harness = try Harness()
    defer { harness.finish() }
    let file = try redis.directory.write("first\n", to: "password")
    var endpoint = StoreEndpoint(address: .unix(path: redis.socketPath), password: "first")
    endpoint.passwordFile = LoginFile(file, text: "first")
    let connection = harness.readyConnection(to: endpoint)
    let administrator = try redis.client()
    try administrator.command("CONFIG", "SET", "requirepass", "second")
    try redis.directory.write("second", to: "password")
    try administrator.command("CLIENT", "KILL", "TYPE", "normal")
    harness.run { harness.identities.count == 2 }
    #expect(connection.isReady && harness.downs.isEmpty)
    // An empty file is one that is about to be written.
    try redis.directory.write("", to: "password")
    try administrator.command("CLIENT", "KILL", "TYPE", "normal")
    harness.run { harness.identities.count == 3 }
    #expect(harness.downs.isEmpty, "\(harness.downs)")
    connection.close()
  }

  @Test(arguments: [("master", false), ("slave", true)])
  func `asks a server whose keys are counted whether it is a replica`(role: String, isReplica: Bool) throws {
    var options = HandshakeOptions()
    options.asksForKeyCount = true
    var handshake = Handshake(endpoint: StoreEndpoint(address: .unix(path: "")), options)
    let info = "run_id:x\r\nredis_version:7.0\r\n"
    let answers: [Handshake.Answer] = [.text("OK"), .text(info), .text(role), .integer(0), .text("PONG")]
    #expect(handshake.commands.count == answers.count)
    for answer in answers {
      guard case .ready(let identity) = handshake.receive(answer) else { continue }
      #expect(identity.isReplica == isReplica && identity.keyCount == 0)
    }
    #expect(handshake.isAnswered)
  }

  @Test func logsInAsAUserWithFewRights() throws {
    let redis = try RedisServer(users: ["app on >secret ~* -@all +get +ping"])
    let harness = try Harness()
    defer { harness.finish() }
    let endpoint = StoreEndpoint(address: .unix(path: redis.socketPath), username: "app", password: "secret")
    let connection = harness.connection(to: endpoint)
    harness.send("GET", "key", on: connection)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.outcomes[0].outcome == .reply("$-1\r\n"))
    #expect(harness.identities == [ServerIdentity(runID: nil, version: nil, flavour: .redis, database: 0)])
    connection.close()
  }

  @Test(arguments: [nil, "wrong"])
  func saysThatTheLoginWasRejected(password: String?) throws {
    let redis = try RedisServer(password: "right")
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: StoreEndpoint(address: .unix(path: redis.socketPath), password: password))
    harness.send("PING", on: connection)
    harness.run { harness.downs.count == 3 }
    #expect(harness.downs.map(\.kind) == Array(repeating: .authenticationRejected, count: 3))
    #expect(harness.downs.map(\.attempt) == [1, 2, 3])
    #expect(harness.downs[0].detail.hasPrefix(password == nil ? "NOAUTH" : "WRONGPASS"))
    #expect(harness.identities.isEmpty)
    guard case .failure(let failure) = harness.outcomes.first?.outcome else {
      Issue.record("\(harness.outcomes)")
      return
    }
    #expect(!failure.mayHaveBeenExecuted)
    connection.close()
  }

  @Test func isNotReadyWhileTheStoreLoads() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let loading = "-LOADING Redis is loading the dataset in memory\r\n"
    let store = try ScriptedStore(on: harness.loop, handshake: ["+OK\r\n", "$-1\r\n", loading])
    let connection = harness.connection(to: StoreEndpoint(address: store.address))
    harness.run { !harness.downs.isEmpty }
    #expect(harness.downs[0].kind == .refused)
    #expect(harness.downs[0].detail == "LOADING Redis is loading the dataset in memory")
    #expect(harness.identities.isEmpty)
    connection.close()
  }

  @Test func waitsForAStoreThatExecutesAScript() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let busy = "-BUSY Redis is busy running a script.\r\n"
    // Twice it refuses everything; then the script ends in the middle of the handshake.
    let answers = Array(repeating: busy, count: 6) + ["+OK\r\n", busy, "+PONG\r\n", ScriptedStore.welcome[1]]
    let store = try ScriptedStore(on: harness.loop, handshake: answers)
    let connection = harness.connection(to: StoreEndpoint(address: store.address))
    harness.send("PING", on: connection)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.outcomes[0].outcome == .failure(.busy(errorReply: "BUSY Redis is busy running a script.")))
    harness.run { !harness.identities.isEmpty }
    #expect(harness.identities[0].runID == "x")
    #expect(harness.downs.map(\.kind) == [.busy, .busy] && connection.isReady)
    connection.close()
  }

  @Test func `a busy store that says more than it was asked is left`() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let busy = "-BUSY Redis is busy running a script.\r\n"
    let store = try ScriptedStore(on: harness.loop, handshake: [busy, busy, busy + "+MORE\r\n"])
    let connection = harness.connection(to: StoreEndpoint(address: store.address))
    harness.run { harness.downs.contains { $0.detail.contains("something that nobody had asked for") } }
    connection.close()
  }

  @Test func givesUpAStoreThatSaysNothing() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop, handshake: ["", "", ""])
    var limits = ConnectionLimits.quick
    limits.connectTimeout = .milliseconds(30)
    let connection = harness.connection(to: StoreEndpoint(address: store.address), limits)
    harness.send("PING", on: connection)
    harness.run { harness.downs.count == 2 && harness.outcomes.count == 1 }
    #expect(harness.downs.map(\.kind) == [.timedOut, .timedOut])
    connection.close()
  }

  @Test func resolvesNames() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    guard case .tcp(_, let port) = store.address else { return }
    // Where the name has an IPv6 address too, that one refuses and the next is tried.
    let connection = harness.readyConnection(to: StoreEndpoint(address: .tcp(host: "localhost", port: port)))
    #expect(harness.downs.isEmpty)
    connection.close()
  }

  @Test func saysThatANameIsUnknown() throws {
    let harness = try Harness()
    defer { harness.finish() }
    // A resolver without a network may take its time to say so.
    var limits = ConnectionLimits.quick
    limits.connectTimeout = .seconds(60)
    let endpoint = StoreEndpoint(address: .tcp(host: "no-such-host.invalid", port: 1))
    let connection = harness.connection(to: endpoint, limits)
    harness.run(deadline: .seconds(90)) { !harness.downs.isEmpty }
    #expect(harness.downs[0].kind == .connectFailed)
    #expect(harness.downs[0].detail.hasPrefix("no-such-host.invalid: "))
    connection.close()
  }

  @Test func readsWhoAServerIs() {
    let redis = ServerIdentity(info: "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nos:Linux: x\r\n", database: 2)
    #expect(redis == ServerIdentity(runID: "abc", version: "7.0.15", flavour: .redis, database: 2))
    let valkey = ServerIdentity(
      info: "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\nrun_id:d\r\n",
      database: 0
    )
    #expect(valkey == ServerIdentity(runID: "d", version: "8.1.0", flavour: .valkey, database: 0))
  }

  private static let valkey9: ServerDialect = [
    .showsPlaceOfVersion, .refusesNesting, .namesCommandRefusedInTransaction, .asksForLoginFirst, .joinsQuotedParts,
    .filtersClients,
  ]
  private static let dialects: [(String, ServerDialect)] = [
    ("redis_version:7.0.15", []), ("redis_version:7.2.5", .showsPlaceOfVersion), ("redis_version:unknown", []),
    ("valkey_version:7.2.5", .showsPlaceOfVersion), ("valkey_version:8.1.0", [.showsPlaceOfVersion, .refusesNesting]),
    ("valkey_version:9.0.3", valkey9), ("valkey_version:9.1.2", valkey9.union(.hasArrayOfNoSubcommands)),
    ("server_name:valkey", []),
  ]

  @Test(arguments: dialects)
  func knowsTheDialectOf(version: String, dialect: ServerDialect) {
    #expect(ServerIdentity(info: version[...], database: 0).dialect == dialect)
  }

  @Test func neverShowsThePassword() {
    let endpoint = StoreEndpoint(
      address: .tcp(host: "::1", port: 6379),
      username: "app",
      password: "hunter2",
      database: 4
    )
    var dumped = ""
    dump(endpoint, to: &dumped)
    #expect(endpoint.description == "[::1]:6379/4")
    #expect(dumped.contains("app"))
    for text in ["\(endpoint)", String(reflecting: endpoint), "\([endpoint])", dumped] {
      #expect(!text.contains("hunter2"))
    }
  }
}
