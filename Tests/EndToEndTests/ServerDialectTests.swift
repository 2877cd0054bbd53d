import TestSupport
import Testing

/// Answers of the sidecar's own in which servers differ, held against those of a server like the default store.
@Suite("The dialect of the default store")
struct ServerDialectTests {
  private static let transactions = [
    RawConversation("MULTI", "MULTI", "SET k 1", "EXEC", "EXEC"),
    RawConversation("MULTI", "WATCH k", "SET k 1", "EXEC", "GET k"),
    RawConversation("MULTI", "MULTI x", "EXEC", "MULTI", "WATCH", "EXEC"),
    RawConversation("MULTI", "SAVE", "SHUTDOWN", "PSYNC ? -1", "SYNC", "EXEC"),
    RawConversation("WATCH k", "MULTI", "WATCH l", "DISCARD", "MULTI", "UNWATCH", "EXEC"),
    RawConversation("EXEC", "DISCARD", "EXEC x", "UNWATCH"),
  ]
  private static let greetings = [
    RawConversation("HELLO", "HELLO 2", "HELLO 3", "HELLO"),
    RawConversation("HELLO 3", "COMMAND INFO get client|kill nosuch", "COMMAND GETKEYS GET k"),
    RawConversation("COMMAND INFO get client|kill nosuch"),
  ]
  private static let strangers = [
    RawConversation("NOSUCH a", "NOSUCH", "GET", "GET k", "CONFIG", "CONFIG NOSUCH", "CLIENT ID x", "CLIENT NOSUCH x"),
    RawConversation("EXEC", "EXEC x", "MULTI x", "SUBSCRIBE", "PING a b", "RESET x", "AUTH", "AUTH a b c", "HELLO"),
  ]
  /// Requests that end the connection before a login.
  private static let malformed = [
    "*11\r\n", "*1048577\r\n", "*2147483647\r\n", "*2147483648\r\n", "*x\r\n", "*1\r\n$16385\r\n",
    "*1\r\n$536870912\r\n", "*1\r\n$536870913\r\n", "*1\r\n$-1\r\n", "*1\r\n$x\r\n", "*10\r\n$x\r\n", "GET\r\n*x\r\n",
    "NOSUCH x\r\n*x\r\n",
  ]
  private static let inline = [
    "ECHO \"a\"b", "ECHO 'a'\"b\"c", "ECHO a\"b\"c", "ECHO \"\"b", "ECHO \"a\"b\"", "ECHO \"a", "ECHO \"\\x41\"b'\\''",
    "\"EC\"HO x", "ECHO \"a\"b'c'd \"x\"", "ECHO \"a b\"",
  ].map { $0 + "\r\nPING\r\n*x\r\n" }

  @Test(arguments: RedisServer.Binary.present, [MigrationState.off, .dualPrimary])
  func `is that of the sidecar's own answers`(binary: RedisServer.Binary, state: MigrationState) throws {
    let deployment = try Deployment(state, primaryBinary: binary, secondaryBinary: binary)
    let reference = try RedisServer(binary)
    for conversation in Self.transactions + Self.greetings {
      let wanted = try conversation.answers(to: reference.client())
      #expect(try conversation.answers(to: deployment.client()) == wanted, "\(conversation.commands)")
    }
    for line in Self.inline {
      let wanted = try answers(to: line, of: reference.client())
      #expect(try answers(to: line, of: deployment.client()) == wanted, "\(line)")
    }
  }

  @Test(arguments: RedisServer.Binary.present)
  func `decides what strangers are told first`(binary: RedisServer.Binary) throws {
    let deployment = try Deployment(
      primaryBinary: binary,
      secondaryBinary: binary,
      instance: ["password: \"let me in\""]
    )
    let reference = try RedisServer(binary, password: "let me in")
    for conversation in Self.strangers {
      let wanted = try conversation.answers(to: RESPClient(reference.address))
      #expect(try conversation.answers(to: deployment.client()) == wanted, "\(conversation.commands)")
    }
    for bytes in Self.malformed {
      let wanted = try answers(to: bytes, of: RESPClient(reference.address))
      #expect(try answers(to: bytes, of: deployment.client()) == wanted, "\(bytes)")
    }
  }

  @Test(.enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
  func `changes with the default store`() throws {
    let deployment = try Deployment(.dual, primaryBinary: .valkey)
    let client = try deployment.client()
    let nested = [["MULTI"], ["MULTI"], ["DISCARD"]]
    #expect(try client.pipeline(nested)[1] == .error("ERR MULTI calls can not be nested"))
    try deployment.move(to: .dualPrimary)
    #expect(try client.pipeline(nested)[1] == .error("ERR Command 'multi' not allowed inside a transaction"))
    try deployment.move(to: .dual)
    #expect(try client.pipeline(nested)[1] == .error("ERR MULTI calls can not be nested"))
  }

  @Test(.enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
  func `refuses CLIENT REPLY in a transaction as Valkey does`() throws {
    let deployment = try Deployment(secondaryBinary: .valkey)
    let replies = try deployment.client().pipeline([["MULTI"], ["CLIENT", "REPLY", "ON"], ["EXEC"]])
    #expect(replies[1] == .error("ERR Command 'client|reply' not allowed inside a transaction"))
    #expect(replies[2] == .error("EXECABORT Transaction discarded because of previous errors."))
  }

  @Test(arguments: RedisServer.Binary.present)
  func `decides the options of CLIENT LIST and CLIENT KILL`(binary: RedisServer.Binary) throws {
    let deployment = try Deployment(secondaryBinary: binary)
    let reference = try RedisServer(binary)
    let clients = try [RESPClient(reference.address), deployment.client()]
    let others = try [RESPClient(reference.address), deployment.client()]
    for client in clients { _ = try client.pipeline([["CLIENT", "SETNAME", "me"], ["SELECT", "3"]]) }
    for other in others { #expect(try other.command("CLIENT", "SETNAME", "other") == .ok) }
    for options in Self.filters {
      let words = options.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      let lists = try clients.map { try shown($0.command(["CLIENT", "LIST"] + words)) }
      #expect(lists[0] == lists[1], "LIST \(options)")
      let counts = try clients.map { try $0.command(["CLIENT", "KILL"] + words + ["NAME", "nobody"]) }
      #expect(counts[0] == counts[1], "KILL \(options)")
    }
    let kills = try clients.map { try $0.command("CLIENT", "KILL", "NAME", "other", "NOT-DB", "3") }
    #expect(kills[0] == kills[1])
    if case .valkey = binary { #expect(kills[1] == .integer(1)) }
  }

  private static let filters = [
    "NAME me", "NAME nobody", "NAME ", "NOT-NAME me", "NOT-NAME ", "NAME other NAME me", "NAME me NOT-NAME me",
    "ID 99999", "ID x", "ID 0", "ID", "ID 99999 x", "ID 99999 NAME", "ID 99999 0", "NOT-ID 99999",
    "NOT-ID 99998 99999 NAME me",
    "TYPE normal", "TYPE x", "NOT-TYPE normal", "TYPE primary", "ADDR x:1", "NOT-ADDR x:1", "LADDR x", "NOT-LADDR x",
    "USER default", "USER zz", "NOT-USER default", "NOT-USER zz", "SKIPME yes", "SKIPME no", "SKIPME x",
    "SKIPME yes NAME me", "MAXAGE x", "MAXAGE 0", "MAXAGE 100000", "NOT-MAXAGE 1", "IDLE x", "IDLE -1", "IDLE 100000",
    "FLAGS N", "FLAGS U", "FLAGS zz", "FLAGS ", "NOT-FLAGS N", "NOT-FLAGS ?", "NOT-FLAGS ", "FLAGS UU", "DB 3", "DB 0",
    "DB x", "NOT-DB 3", "NOT-DB x", "IP zz", "NOT-IP zz", "LIB-NAME x", "LIB-NAME ", "NOT-LIB-NAME x", "LIB-VER x",
    "NOT-LIB-VER ", "CAPA r", "CAPA x", "CAPA ", "NOT-CAPA r", "NOT-CAPA x", "FOO x", "NAME", "name me db 3",
  ]

  /// The names in a list of clients, or the error.
  private func shown(_ reply: RESPReply) -> [String] {
    guard let list = reply.string, reply.errorText == nil else { return ["\(reply)"] }
    return list.matches(of: /\ name=(\S*)/).map { String($0.1) }
  }

  /// All bytes of the answers until the connection is closed.
  private func answers(to bytes: String, of client: RESPClient) throws -> String {
    try client.send(Array(bytes.utf8))
    return String(decoding: try client.readUntilClosed(), as: UTF8.self)
  }
}
