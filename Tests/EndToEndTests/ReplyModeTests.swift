import TestSupport
import Testing

@Suite("CLIENT REPLY, byte by byte")
struct ReplyModeTests {
  /// Commands whose words are separated by spaces; `>` stands before bytes that are sent as they are.
  private static let conversations: [[String]] = [
    ["SKIP", "PING", "PING"], ["SKIP", "SKIP", "PING", "PING"], ["SKIP", "ON", "PING"], ["SKIP", "OFF", "PING", "ON"],
    ["ON", "ON", "OFF", "ON", "OFF", "SKIP", "ON", "PING"], ["OFF", "OFF", "SKIP", "ON", "PING"],
    ["GET none", "SKIP", "GET none", "GET none"], ["INCR q", "OFF", "INCR q", "INCR q", "ON", "INCR q"],
    // Errors.
    ["OFF", "NOSUCH", "GET", "CLIENT REPLY x", "CLIENT REPLY", "ON", "PING"], ["SKIP", "NOSUCH", "PING"],
    ["SKIP", "GET", "PING"], ["SKIP", "CLIENT REPLY x", "PING"], ["SKIP", "CLIENT REPLY", "PING"],
    ["CLIENT REPLY", "CLIENT REPLY a b", "CLIENT REPLY of", "client reply on"], ["SKIP", "SELECT 99", "PING"],
    ["SKIP", "AUTH x", "PING"], ["SKIP", "EXEC", "PING"], ["SKIP", "DISCARD", "PING"], ["SKIP", "HELLO 9", "PING"],
    // RESET.
    ["SKIP", "RESET", "PING"], ["OFF", "RESET", "PING"], ["SKIP", "PING", "RESET", "PING"], ["OFF", "SKIP", "RESET"],
    // Transactions.
    ["SKIP", "MULTI", "SET k 1", "EXEC"], ["OFF", "MULTI", "SET k 1", "INCR k", "EXEC", "ON", "GET k"],
    ["OFF", "MULTI", "NOSUCH", "EXEC", "ON", "PING"], ["OFF", "WATCH a", "MULTI", "SET a 1", "EXEC", "ON", "GET a"],
    ["SKIP", "WATCH a", "GET a"],
    // The protocol.
    ["OFF", "HELLO 3", "ON", "GET none"], ["SKIP", "HELLO 3", "GET none"],
    ["OFF", "HELLO 3", "HELLO 2", "ON", "GET none"],
    ["OFF", "HELLO 9", "ON", "PING"],
    // Input that is no command.
    ["SKIP", ">\r\n", "PING", "PING"], ["SKIP", ">*0\r\n", "PING", "PING"], ["SKIP", ">*-1\r\n", "PING", "PING"],
    ["SKIP", ">ping\r\n", ">ping\r\n"], ["OFF", ">\r\n", "PING", "ON"],
    // Subscriptions.
    ["SKIP", "SUBSCRIBE a", "PING"], ["OFF", "SUBSCRIBE a", "PING", "GET x", "NOSUCH", "UNSUBSCRIBE", "PING", "ON"],
    ["OFF", "SUBSCRIBE a", "PING x", "CLIENT REPLY ON", "PING", "RESET", "PING"], ["SKIP", "UNSUBSCRIBE", "PING"],
    ["OFF", "UNSUBSCRIBE", "UNSUBSCRIBE x y", "PUNSUBSCRIBE", "ON"], ["SKIP", "SUBSCRIBE", "PING"],
    ["SUBSCRIBE a", "CLIENT REPLY OFF", "PING"],
    ["OFF", "PSUBSCRIBE p*", "PUNSUBSCRIBE", "GET none", "ON", "GET none"],
    ["OFF", "SUBSCRIBE a b", "UNSUBSCRIBE a", "UNSUBSCRIBE b", "ECHO no", "ON", "ECHO yes"],
    ["SKIP", "SSUBSCRIBE s", "SUNSUBSCRIBE s", "PING"], ["SKIP", "UNSUBSCRIBE a", "SUBSCRIBE a", "PING"],
    // Commands of all ways.
    ["SKIP", "BLPOP none 0.05", "PING"], ["OFF", "BLPOP none 0.05", "ON", "PING"], ["SKIP", "SCAN 0", "PING"],
    ["OFF", "EVAL return{1,{2}} 0", "EVAL return{1,{2}} 0", "ON", "EVAL return(7) 0"],
    ["SKIP", "MGET a b", "MGET a b"],
    ["OFF", "SELECT 2", "SET d 2", "ON", "GET d", "SELECT 0", "GET d"], ["SKIP", "INFO replication", "PING"],
    ["SKIP", "OBJECT ENCODING none", "PING"], ["SKIP", "CLIENT PAUSE 20", "PING", "GET none"],
    ["OFF", "CLIENT PAUSE 20 WRITE", "SET p 1", "ON", "GET p"], ["CLIENT PAUSE 20 WRITE", "SKIP", "SET p 2", "GET p"],
    // Many, and large ones.
    ["OFF"] + (0..<300).map { "SET k\($0) v" } + ["ON"] + (0..<300).map { "GET k\($0)" },
    (0..<300).flatMap { ["SKIP", "SET s\($0) v"] } + ["DBSIZE"],
    (0..<100).flatMap { _ in ["SKIP", "INCR n", "GET n"] },
    ["OFF", "SET big \(large)", "GET big", "ON", "STRLEN big"], ["SET big \(large)", "SKIP", "GET big", "GET big"],
    ["SKIP", "ECHO \(large)", "ECHO y"], ["SKIP", "SET big \(large)", "SKIP", "MGET big big", "STRLEN big"],
  ]
  private static let large = String(repeating: "x", count: 100_000)

  @Test(arguments: MigrationState.allCases)
  func `drops what a server drops`(state: MigrationState) throws {
    let deployment = try Deployment(state, instance: ["allow_flush: true"])
    for server in RedisServer.Binary.present {
      let reference = try RedisServer(server)
      for conversation in Self.conversations {
        for version in [2, 3] {
          for client in [try reference.client(), try deployment.client()] { try client.command("FLUSHALL") }
          let wanted = try answers(to: conversation, in: version, of: reference.client())
          let found = try answers(to: conversation, in: version, of: deployment.client())
          #expect(found == wanted, "\(server), RESP\(version): \(conversation.map { $0.prefix(40) })")
        }
      }
    }
  }

  @Test(arguments: MigrationState.allCases)
  func `messages are sent to a client that wants no replies`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let (first, second) = (try deployment.client(), try deployment.client())
    try second.speakRESP3()
    for client in [first, second] {
      try send(["OFF", "SUBSCRIBE c", "PING"], to: client)
      let confirmation = "\(client === first ? "*" : ">")3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
      #expect(try client.next(confirmation) == confirmation)
    }
    #expect(try deployment.client().command("PUBLISH", "c", "m") == .integer(2))
    for client in [first, second] {
      let message = "\(client === first ? "*" : ">")3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n"
      #expect(try client.next(message) == message)
      try client.send(RESPClient.encode(["RESET"]))
      #expect(try client.next("+RESET\r\n") == "+RESET\r\n")
    }
  }

  /// A server leaves the client without a word and connected; here it is let go.
  @Test(arguments: ["QUIT", ">*x\r\n"])
  func `the end of the connection is silent`(line: String) throws {
    let deployment = try Deployment()
    for mode in ["SKIP", "OFF"] {
      let client = try deployment.client()
      try send([mode, line], to: client)
      #expect(try client.readUntilClosed() == [])
    }
  }

  private func send(_ lines: [String], to client: RESPClient) throws {
    try client.send(
      lines.flatMap { line -> [UInt8] in
        if line.hasPrefix(">") { return Array(line.utf8.dropFirst()) }
        let isMode = ["ON", "OFF", "SKIP"].contains(line)
        return RESPClient.encode((isMode ? "CLIENT REPLY \(line)" : line).split(separator: " ").map(String.init))
      }
    )
  }

  /// All bytes of the answers up to that of an ECHO behind a RESET, which makes a client want replies again.
  private func answers(to lines: [String], in version: Int, of client: RESPClient) throws -> String {
    if version == 3 { try client.speakRESP3() }
    let end = Array("$7\r\nthe end\r\n".utf8)
    try send(lines + ["RESET"], to: client)
    try client.send(RESPClient.encode(["ECHO", "the end"]))
    var bytes: [UInt8] = []
    while !bytes.suffix(end.count).elementsEqual(end) { bytes += try client.readBytes(1) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
