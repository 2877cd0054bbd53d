import TestSupport
import Testing

@Suite("MONITOR")
struct MonitorTests {
  /// Commands whose words are separated by spaces; `>` stands before bytes that are sent as they are.
  private static let conversations: [[String]] = [
    ["SET k v", "GET k", "get k", "MGET a b c", "DEL k"], [">ping\r\nset k 'a b'\r\n\r\nget k\r\n"],
    [">*2\r\n$4\r\nECHO\r\n$9\r\n\"\\\n\r\t\u{7}\u{8}\u{0}\u{7f}\r\n"], ["ECHO ä", "ECHO ~", "SET k \(large)"],
    // Errors.
    ["GET", "GET a b c", "CLIENT NOSUCH", "CLIENT", "LPUSH l x", "GET l", "SELECT 99", "CLIENT KILL 1.2.3.4:5"],
    // Transactions.
    ["MULTI", "SET a 1", "LPUSH a 1", "GET a", "EXEC", "GET z", "DISCARD", "EXEC"], ["MULTI", "SET a 1", "DISCARD"],
    ["MULTI", "SET a 1", "NOSUCH", "EXEC"], ["MULTI", "EXEC"], ["MULTI", "GET k", "exec"], ["EXEC x"],
    ["WATCH a", "MULTI", "GET a", "EXEC"], ["WATCH a", "SET a 1", "MULTI", "GET a", "EXEC"],
    ["WATCH a", "UNWATCH", "MULTI", "UNWATCH", "EXEC"], ["WATCH a", "MULTI", "EXEC"],
    // Logins, and what is not shown.
    ["AUTH pass", "AUTH user pass", "HELLO 2 AUTH default pass SETNAME n", "HELLO", "HELLO 9", "AUTH"],
    ["CONFIG GET maxmemory", "ACL SETUSER joe on >pass", "ACL DELUSER joe", "ACL WHOAMI", "SLOWLOG LEN", "PING"],
    ["MIGRATE 127.0.0.1 1 none 0 10 AUTH pass", "PING"],
    // The connection.
    ["SELECT 3", "SET k v", "SELECT 0"],
    ["CLIENT SETNAME x", "CLIENT GETNAME", "CLIENT LIST", "CLIENT PAUSE 1", "PING"],
    ["CLIENT REPLY SKIP", "PING", "CLIENT REPLY OFF", "PING", "CLIENT REPLY ON"],
    ["SUBSCRIBE c", "PING", "GET k", "UNSUBSCRIBE"], ["HELLO 3", "SUBSCRIBE c", "GET k", "UNSUBSCRIBE"],
    // Commands of all ways.
    ["EVAL return(1) 0", "EVALSHA abc 0", "SCRIPT EXISTS abc"], ["BLPOP none 0.01", "LPUSH l 1", "BLPOP l 0"],
    ["INFO server", "TIME", "DBSIZE", "SCAN 0", "WAIT 0 0", "OBJECT ENCODING none", "COMMAND COUNT", "PUBLISH c m"],
    ["SORT none", "GETEX none", "RANDOMKEY", "FLUSHDB"], (0..<300).map { "SET k\($0) v" },
  ]
  /// Commands of a client that monitors, each with one reply, or one line, or both.
  private static let monitored: [[String]] = [
    ["MONITOR", "PING", "GET k", "SET k v", "MONITOR", "PING x", "GET", "CLIENT GETNAME"],
    ["MONITOR", "MULTI", "GET k", "EXEC"], ["MONITOR", "MULTI", "DISCARD", "SELECT 2", "PING"],
    ["MONITOR", "RESET", "PING", "SET k v", "MONITOR", "AUTH pass"], ["MONITOR x", "PING"],
    ["CLIENT REPLY SKIP", "MONITOR", "PING"], ["CLIENT REPLY OFF", "MONITOR", "PING", "CLIENT REPLY ON", "PING"],
    ["MONITOR", "PUBLISH c m", "EVAL return(1) 0", "EVAL_RO return(1) 0", "DBSIZE", "BLPOP l 0", "PING"],
  ]
  private static let large = String(repeating: "x", count: 100_000)

  @Test(arguments: MigrationState.allCases)
  func `shows the commands that a server shows`(state: MigrationState) throws {
    let deployment = try Deployment(state, instance: ["allow_flush: true"])
    for server in RedisServer.Binary.present {
      let reference = try RedisServer(server)
      let monitors = [try reference.client(), try deployment.client()]
      for monitor in monitors { #expect(try monitor.command("MONITOR") == .ok) }
      for conversation in Self.conversations {
        let clients = [try reference.client(), try deployment.client()]
        for client in clients { try send(conversation + ["RESET", "FLUSHALL", "ECHO end"], to: client) }
        let wanted = try shown(to: monitors[0])
        #expect(try shown(to: monitors[1]) == wanted, "\(server): \(conversation.map { $0.prefix(40) })")
        #expect(wanted.contains("FLUSHALL") && !wanted.contains("pass\""))
      }
    }
  }

  @Test(arguments: MigrationState.allCases)
  func `lets a client that monitors send what a server does`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let reference = try RedisServer()
    for conversation in Self.monitored {
      for version in [2, 3] {
        var answers: [String] = []
        for client in [try reference.client(), try deployment.client()] {
          if version == 3 { try client.speakRESP3() }
          try send(conversation + ["RESET", "ECHO end"], to: client)
          answers.append(try read(until: "$3\r\nend\r\n", from: client))
        }
        #expect(answers[1] == answers[0], "RESP\(version): \(conversation)")
      }
    }
  }

  @Test func `shows the addresses of clients, and who monitors`() throws {
    let deployment = try Deployment(listen: "127.0.0.1:0")
    let (monitor, client) = (try deployment.client(), try deployment.client())
    #expect(try monitor.command("MONITOR") == .ok)
    let info = try #require(try client.command("CLIENT", "INFO").string)
    let address = try #require(info.split(separator: " ").first { $0.hasPrefix("addr=") }).dropFirst(5)
    #expect(try monitor.readReply().string?.hasSuffix(" [0 \(address)] \"CLIENT\" \"INFO\"") == true)
    #expect(try client.command("AUHT", "pass").errorText?.contains("unknown command") == true)
    #expect(try monitor.readReply().string?.hasSuffix("] \"(redacted)\" \"(redacted)\"") == true)
    for (name, shown) in [
      ("AUTH default pass", "(redacted)"), ("pass", "(redacted)"), ("pass.", "(redacted)"),
      ("pa ss.word", "(redacted)"), ("json.get", "json.get"),
    ] {
      #expect(try client.command(name, "k").errorText != nil)
      let rest = shown == name ? "k" : "(redacted)"
      #expect(try monitor.readReply().string?.hasSuffix("] \"\(shown)\" \"\(rest)\"") == true, "\(name)")
    }
    let list = try #require(try client.command("CLIENT", "LIST").string)
    #expect(list.contains(" flags=O ") && list.contains(" cmd=monitor "))
    try deployment.sidecar.waitForEvent { $0.message == "Client shown all commands by MONITOR" }
    #expect(try client.command("CLIENT", "KILL", "TYPE", "normal") == .integer(1))
    #expect(try monitor.readUntilClosed() == [])
    #expect(try client.command("SET", "k", "v") == .ok)
  }

  @Test func `ends with the client, and with the sidecar`() throws {
    let deployment = try Deployment(.dual)
    let monitors = try (0..<5).map { _ in try deployment.client() }
    for monitor in monitors { #expect(try monitor.command("MONITOR") == .ok) }
    let client = try deployment.client()
    monitors[0].close()
    monitors[1].shutdownWrites()
    #expect(try monitors[1].readUntilClosed() == [])
    try send(["QUIT"], to: monitors[2])
    #expect(try monitors[2].readUntilClosed() == Array("+OK\r\n".utf8))
    for monitor in monitors[3...] {
      #expect(try monitor.readReply().string?.hasSuffix("\"QUIT\"") == true)
    }
    #expect(try client.command("SET", "k", "v") == .ok)
    for monitor in monitors[3...] {
      let line = try #require(try monitor.readReply().string)
      #expect(line.contains(" [0 unix:/") && line.hasSuffix("] \"SET\" \"k\" \"v\""))
    }
    try deployment.finish()
    for monitor in monitors[3...] { #expect(try monitor.readUntilClosed() == []) }
  }

  @Test func `closes a client that does not read its lines, and serves the others`() throws {
    let deployment = try Deployment(.dual, instance: ["client_output_buffer_limit: 512KiB"])
    let (slow, fast, client) = (try deployment.client(), try deployment.client(), try deployment.client())
    for monitor in [slow, fast] { #expect(try monitor.command("MONITOR") == .ok) }
    let value = String(repeating: "x", count: 64 << 10)
    try eventually("the slow monitor is closed") {
      #expect(try client.command("SET", "k", value) == .ok)
      #expect(try fast.readReply().string?.hasSuffix("\"SET\" \"k\" \"\(value)\"") == true)
      return try deployment.metric("multistore_client_connections_closed_total", ["reason": "output_buffer_limit"]) == 1
    }
    #expect(try client.command("STRLEN", "k") == .integer(value.utf8.count))
  }

  private func send(_ lines: [String], to client: RESPClient) throws {
    try client.send(
      lines.flatMap { line -> [UInt8] in
        if line.hasPrefix(">") { return Array(line.utf8.dropFirst()) }
        return RESPClient.encode(line.split(separator: " ").map(String.init))
      }
    )
  }

  /// The lines up to that of an ECHO.
  private func shown(to monitor: RESPClient) throws -> String { try read(until: "\"ECHO\" \"end\"\r\n", from: monitor) }

  /// All bytes up to `end`, without times and addresses.
  private func read(until end: String, from client: RESPClient) throws -> String {
    var bytes: [UInt8] = []
    while !bytes.suffix(end.utf8.count).elementsEqual(end.utf8) { bytes += try client.readBytes(1) }
    return String(decoding: bytes, as: UTF8.self)
      .replacing(#/\+[0-9]{10}\.[0-9]{6} \[([0-9]+) [^\]]+\] /#) { "+[\($0.1)] " }
  }
}
