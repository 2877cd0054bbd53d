import TestSupport
import Testing

@Suite("Logging in")
struct LoginTests {
  private static let users = [
    "users:", "  - { name: bob, password: \"bob's word\" }", "  - { name: eve, password: \"eve's word\" }",
  ]

  @Test func `users are answered as a server answers them, word for word`() throws {
    let deployment = try Deployment(instance: ["password: \"let me in\""] + Self.users)
    let redis = try RedisServer(password: "let me in")
    let admin = try redis.client()
    for user in ["bob", "eve"] {
      #expect(try admin.command("ACL", "SETUSER", user, "on", ">\(user)'s word", "~*", "&*", "+@all") == .ok)
    }
    for conversation in [
      [["AUTH", "bob", "bob's word"], ["GET", "k"]], [["AUTH", "bob", "eve's word"], ["GET", "k"]],
      [["AUTH", "let me in"], ["GET", "k"], ["AUTH", "eve", "wrong"], ["GET", "k"]],
      [["AUTH", "default", "let me in"], ["GET", "k"]], [["AUTH", "bob's word"]], [["AUTH", "nobody", "bob's word"]],
      [["AUTH"], ["AUTH", "a", "b", "c"], ["RESET", "x"], ["PING"], ["MULTI"], ["EXEC"], ["SUBSCRIBE", "c"]],
      [["HELLO"], ["HELLO", "2"], ["HELLO", "x"], ["HELLO", "02"], ["HELLO", "-1"], ["HELLO", "4"]],
      [["HELLO", "2", "FOO"], ["HELLO", "2", "AUTH", "bob"], ["HELLO", "2", "SETNAME"], ["HELLO", "2", "AUTH"]],
      [["HELLO", "2", "AUTH", "bob", "wrong", "SETNAME", "x"], ["CLIENT", "GETNAME"]],
      [["HELLO", "2", "SETNAME", "x", "y"], ["AUTH", "let me in"], ["CLIENT", "GETNAME"]],
      [["HELLO", "2", "AUTH", "bob", "bob's word", "SETNAME", "two words"], ["CLIENT", "GETNAME"]],
      [["HELLO", "2", "SETNAME", "x", "AUTH", "eve", "eve's word"], ["CLIENT", "GETNAME"], ["RESET"], ["PING"]],
    ] {
      let direct = try RESPClient(redis.address)
      let client = try deployment.client()
      for command in conversation {
        let expected = try direct.command(command)
        #expect(try shown(client.command(command)) == shown(expected), "\(command) of \(conversation)")
      }
    }
    // A command that no server of this version has is refused as by those that lack it.
    let stranger = try deployment.client()
    #expect(try stranger.command("HELLO", "4").errorText == "NOPROTO unsupported protocol version")
  }

  @Test func `without a password of its own nobody is the default user`() throws {
    let deployment = try Deployment(instance: Self.users)
    let client = try deployment.client()
    #expect(try client.command("AUTH", "bob's word").errorText?.hasPrefix("WRONGPASS") == true)
    #expect(try client.command("AUTH", "default", "").errorText?.hasPrefix("WRONGPASS") == true)
    #expect(try client.command("GET", "k").errorText?.hasPrefix("NOAUTH") == true)
    #expect(try client.command("AUTH", "bob", "bob's word") == .ok)
    #expect(try client.command("GET", "k") == .null)
    #expect(try client.command("CLIENT", "INFO").string?.contains(" user=bob ") == true)
    try deployment.waitForMetric("multistore_client_authentication_failures_total", [:], 2)
    try deployment.finish()
    #expect(!deployment.sidecar.log.text.contains("bob's word"))
  }

  @Test func `an instance without users lets everybody be the default user`() throws {
    let deployment = try Deployment()
    let redis = try RedisServer()
    let direct = try redis.client()
    let client = try deployment.client()
    for command in [
      ["AUTH", "x"], ["AUTH", "default", "x"], ["AUTH", "nobody", "x"], ["AUTH", "a", "b", "c"],
      ["HELLO", "2", "AUTH", "default", "x"], ["HELLO", "2", "AUTH", "nobody", "x"], ["PING"],
    ] {
      let expected = try direct.command(command)
      #expect(try shown(client.command(command)) == shown(expected), "\(command)")
    }
  }

  /// The reply; of HELLO's array the names and what is the same for any two servers.
  private func shown(_ reply: RESPReply) -> [String] {
    guard let fields = reply.elements else { return ["\(reply)"] }
    return stride(from: 0, to: fields.count - 1, by: 2).map { index in
      let name = fields[index].string ?? "?"
      return ["version", "id"].contains(name) ? name : "\(name)=\(fields[index + 1])"
    }
  }
}
