import TestSupport
import Testing

@Suite("Commands about the client's own connection")
struct ConnectionCommandTests {
  @Test func `they are answered by the sidecar, while the store is down too`() throws {
    let deployment = try Deployment()
    deployment.secondary.kill()
    let client = try deployment.client()
    #expect(try client.command("PING") == .simple("PONG"))
    #expect(try client.command("PING", "x") == .text("x"))
    #expect(try client.command("ECHO", "x") == .text("x"))
    #expect(try client.command("SELECT", "0") == .ok)
    #expect(try client.command("SELECT", "1").errorText?.contains("secondary store: not connected") == true)
    #expect(try client.command("CLIENT", "GETNAME") == .null)
    #expect(try client.command("CLIENT", "SETNAME", "web-1") == .ok)
    #expect(try client.command("CLIENT", "GETNAME") == .text("web-1"))
    #expect(try client.command("CLIENT", "SETNAME", "two words").errorText?.hasPrefix("ERR Client names") == true)
    #expect(try client.command("CLIENT", "SETINFO", "lib-name", "test") == .ok)
    let id = try #require(try client.command("CLIENT", "ID").integer)
    #expect(try deployment.client().command("CLIENT", "ID").integer ?? 0 > id)
    let info = try client.command("CLIENT", "INFO").string ?? ""
    #expect(info.hasPrefix("id=\(id) ") && info.contains(" name=web-1 "))
    #expect(try client.command("RESET") == .simple("RESET"))
    #expect(try client.command("CLIENT", "GETNAME") == .null)
    #expect(try client.command("QUIT") == .ok)
    #expect(try client.readUntilClosed() == [])
  }

  @Test func `HELLO names the server, its version and the protocol`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    let fields = try #require(try client.command("HELLO", "2", "SETNAME", "me").elements)
    let names = stride(from: 0, to: fields.count, by: 2).compactMap { fields[$0].string }
    #expect(names == ["server", "version", "proto", "id", "mode", "role", "modules"])
    #expect(fields[5] == .integer(2))
    #expect(
      try deployment.secondary.client().command("INFO", "server").string?.contains(fields[3].string ?? "?") == true
    )
    #expect(try client.command("CLIENT", "GETNAME") == .text("me"))
    #expect(try client.command("HELLO", "4").errorText?.hasPrefix("NOPROTO") == true)
    #expect(try client.command("PING") == .simple("PONG"))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `an instance with a password asks for it as Redis does`(state: MigrationState) throws {
    let deployment = try Deployment(state, instance: ["password: \"let me in\""])
    let redis = try RedisServer(password: "let me in")
    let conversation = [
      ["GET", "k"], ["PING"], ["MULTI"], ["AUTH"], ["AUTH", "wrong"], ["AUTH", "default", "wrong"],
      ["AUTH", "somebody", "let me in"], ["SET", "k", "v"], ["HELLO", "2"], ["AUTH", "let me in"], ["SET", "k", "v"],
      ["GET", "k"], ["RESET"], ["GET", "k"], ["AUTH", "default", "let me in"], ["GET", "k"],
    ]
    let direct = try RESPClient(redis.address)
    let client = try deployment.client()
    for command in conversation {
      let expected = try direct.command(command)
      // Versions of Redis word the same refusal differently; its code, the first word, stays.
      #expect(try code(client.command(command)) == code(expected), "\(command)")
    }
    // A pipeline of a client that is not known yet does nothing either.
    let stranger = try deployment.client()
    let replies = try stranger.pipeline([["DEL", "k"], ["SET", "k", "w"], ["AUTH", "let me in"], ["GET", "k"]])
    #expect(replies.map { $0.errorText?.hasPrefix("NOAUTH") == true } == [true, true, false, false])
    #expect(replies.last == .text("v"))
    let hello = try deployment.client().command("HELLO", "2", "AUTH", "default", "let me in")
    #expect(hello.elements != nil)
    try deployment.finish()
    #expect(!deployment.sidecar.log.text.contains("let me in"))
  }

  /// An error's first word; nothing but the fact that it is one of an array, which names version and client.
  private func code(_ reply: RESPReply) -> RESPReply {
    switch reply {
    case .error(let text): .error(String(text.prefix { $0 != " " }))
    case .array: .array([])
    default: reply
    }
  }
}
