import EventLoop
import Foundation
import Testing

import class TestSupport.RESPClient
import class TestSupport.RedisServer

@testable import Hiredis

@Suite("Logins that change")
struct RenewedLoginTests {
  /// An endpoint whose password a shell prints; each run leaves a line in the file `runs` of the server's folder.
  func endpoint(_ redis: RedisServer, _ script: String) -> StoreEndpoint {
    var endpoint = StoreEndpoint(address: .unix(path: redis.socketPath))
    endpoint.passwordCommand = LoginCommand(["sh", "-c", "echo x >> \(redis.directory.path("runs")); \(script)"])
    return endpoint
  }

  func runs(_ redis: RedisServer) throws -> Int {
    try String(contentsOfFile: redis.directory.path("runs"), encoding: .utf8).count / 2
  }

  @Test func `a program prints the password, once for connections that are made together`() throws {
    let redis = try RedisServer(password: "token")
    let harness = try Harness()
    defer { harness.finish() }
    let endpoint = endpoint(redis, "echo token")
    let connections = (0..<5).map { _ in harness.connection(to: endpoint) }
    for connection in connections { harness.send("PING", on: connection) }
    harness.run { harness.outcomes.count == 5 }
    #expect(harness.outcomes.allSatisfy { $0.outcome == .reply("+PONG\r\n") })
    #expect(try runs(redis) == 1)
    for connection in connections { connection.close() }
  }

  @Test func `the program is asked again at once when the store refuses what it has printed`() throws {
    let redis = try RedisServer(password: "first")
    let harness = try Harness()
    defer { harness.finish() }
    try redis.directory.write("first", to: "token")
    let connection = harness.readyConnection(to: endpoint(redis, "cat \(redis.directory.path("token"))"))
    let administrator = try redis.client()
    try administrator.command("CONFIG", "SET", "requirepass", "second")
    try redis.directory.write("second", to: "token")
    try administrator.command("CLIENT", "KILL", "TYPE", "normal")
    harness.run { harness.identities.count == 2 }
    #expect(connection.isReady)
    #expect(try runs(redis) == 2)
    connection.close()
  }

  @Test(arguments: [
    ("exit 7", "sh exited with status 7; run it as the sidecar's user to see why"), ("true", "sh printed nothing"),
    ("echo a; echo b", "sh printed more than one line"), ("printf '\\377'", "sh printed no UTF-8"),
  ])
  func `a program that prints no password is told of without its output`(script: String, words: String) throws {
    let redis = try RedisServer(password: "token")
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: endpoint(redis, script))
    harness.send("PING", on: connection)
    harness.run { !harness.downs.isEmpty && harness.outcomes.count == 1 }
    #expect(harness.downs[0].kind == .authenticationRejected)
    #expect(harness.downs[0].detail == "password_command: \(words)")
    connection.close()
  }

  @Test func `a program that hangs takes no longer than connecting may`() throws {
    let redis = try RedisServer(password: "token")
    let harness = try Harness()
    defer { harness.finish() }
    var limits = ConnectionLimits.quick
    limits.connectTimeout = .milliseconds(200)
    let connection = harness.connection(to: endpoint(redis, "sleep 100"), limits)
    harness.run { !harness.downs.isEmpty }
    #expect(harness.downs[0].detail.contains("took longer than 0.2 seconds"), "\(harness.downs[0])")
    // The connection is closed while the program runs.
    harness.poll { (try? runs(redis)) == 2 }
    connection.close()
  }

  /// Servers keep connections that are logged in; proxies before them may not.
  @Test func `a store that asks for a login again gets it on the same connection`() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop, handshake: ["+OK\r\n"] + ScriptedStore.welcome)
    var isLoggedIn = false
    var logins: [String] = []
    store.onCommand = { stream, command in
      if command.contains("AUTH") {
        logins.append(command)
        isLoggedIn = true
        stream.say("+OK\r\n")
      } else {
        stream.say(isLoggedIn ? "+PONG\r\n" : "-NOAUTH Authentication required.\r\n")
      }
    }
    let connection = harness.readyConnection(to: StoreEndpoint(address: store.address, password: "pw"))
    harness.onReply = { if $0 < 2 { harness.send("PING", on: connection, token: $0 + 1) } }
    harness.send("PING", on: connection)
    harness.run { harness.outcomes.count == 3 }
    let expected: [Outcome] = [
      .reply("-NOAUTH Authentication required.\r\n"), .reply("+PONG\r\n"), .reply("+PONG\r\n"),
    ]
    #expect(harness.outcomes.map(\.outcome) == expected)
    #expect(logins == ["*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n"])
    #expect(harness.identities.count == 1 && harness.downs.isEmpty)
    connection.close()
  }

  @Test func `a login that is refused ends the connection`() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop, handshake: ["+OK\r\n"] + ScriptedStore.welcome)
    store.onCommand = { stream, command in
      stream.say(command.contains("AUTH") ? "-WRONGPASS no\r\n" : "-NOAUTH Authentication required.\r\n")
    }
    let connection = harness.readyConnection(to: StoreEndpoint(address: store.address, password: "pw"))
    harness.send("PING", on: connection)
    harness.run { !harness.downs.isEmpty }
    #expect(harness.downs[0].kind == .authenticationRejected && harness.downs[0].detail == "WRONGPASS no")
    connection.close()
  }

  /// A server, and two connections that log in with the same file, and are kept alive.
  private func startWithFile(_ harness: Harness) throws -> (redis: RedisServer, connections: [HiredisConnection]) {
    let redis = try RedisServer(password: "first")
    let file = try redis.directory.write("first\n", to: "password")
    var endpoint = StoreEndpoint(address: .unix(path: redis.socketPath), password: "first")
    endpoint.passwordFile = LoginFile(file, text: "first")
    let connections = (0..<2).map { _ in
      HiredisConnection(on: harness.loop, endpoint: endpoint, limits: .quick, delegate: harness) { 0.5 }
    }
    for connection in connections {
      connection.keepsAlive = true
      connection.connect()
    }
    harness.run { connections.allSatisfy(\.isReady) }
    return (redis, connections)
  }

  /// Returns the number of AUTHs that a server has executed, and of those that it has refused.
  private func logins(_ client: RESPClient) throws -> (calls: Int, refused: Int) {
    let text = try client.command("INFO", "commandstats").string ?? ""
    let line = try #require(text.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_auth:") })
    func number(_ name: String) -> Int {
      let field = line.split(whereSeparator: ":,".contains).first { $0.hasPrefix("\(name)=") }
      return field.flatMap { Int($0.dropFirst(name.count + 1)) } ?? 0
    }
    return (number("calls"), number("failed_calls"))
  }

  @Test func `a password file that changes is used for all connections that are open`() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let (redis, connections) = try startWithFile(harness)
    let administrator = try redis.client()
    try administrator.command("CONFIG", "SET", "requirepass", "second")
    let before = try logins(administrator).calls
    try redis.directory.write("second\n", to: "password")
    harness.poll { (try? logins(administrator).calls) == before + 2 }
    #expect(harness.identities.count == 2 && harness.downs.isEmpty && harness.keptLogins.isEmpty)
    for connection in connections { connection.close() }
  }

  /// The store gets the password later than the file. Commands in flight must not be lost for that.
  @Test func `connections that are logged in stay when the store refuses what the file has`() throws {
    let harness = try Harness()
    defer { harness.finish() }
    let (redis, connections) = try startWithFile(harness)
    let administrator = try redis.client()
    try redis.directory.write("second\n", to: "password")
    harness.poll { (try? logins(administrator).refused) ?? 0 >= 2 }
    for connection in connections { harness.send("PING", on: connection) }
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.outcomes.allSatisfy { $0.outcome == .reply("+PONG\r\n") })
    #expect(harness.downs.isEmpty && harness.keptLogins.count == 2)
    #expect(harness.keptLogins.allSatisfy { $0.hasPrefix("WRONGPASS") })
    try administrator.command("CONFIG", "SET", "requirepass", "second")
    func accepted() -> Int? { (try? logins(administrator)).map { $0.calls - $0.refused } }
    let before = try #require(accepted())
    harness.poll { accepted().map { $0 >= before + 2 } ?? false }
    #expect(harness.identities.count == 2 && harness.downs.isEmpty && harness.keptLogins.count == 2)
    for connection in connections { connection.close() }
  }
}
