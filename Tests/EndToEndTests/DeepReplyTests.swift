import TestSupport
import Testing

@Suite("Replies too deep for hiredis")
struct DeepReplyTests {
  private static let deep = "return {{{{{{{{{{{{ARGV[1]}}}}}}}}}}}}"

  @Test(arguments: [MigrationState.off, .dual])
  func `what the server says of its commands comes as it is`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    let direct = try deployment.secondary.client()
    for line in [
      "COMMAND DOCS GET XADD", "COMMAND DOCS", "COMMAND INFO GET NOSUCH EVAL", "COMMAND COUNT",
      "COMMAND GETKEYS SET k v",
      "COMMAND LIST FILTERBY PATTERN xr*", "COMMAND GETKEYS NOSUCH", "COMMAND DOCS NOSUCH",
    ] {
      let words = line.split(separator: " ").map(String.init)
      let expected = try direct.command(words)
      let reply = try client.command(words)
      // The order of what a set holds is a server's own business, and changes from one call to the next.
      #expect(shape(reply) == shape(expected), "\(line)")
    }
    #expect(try client.command("COMMAND").elements?.count == direct.command("COMMAND").elements?.count)
    let replies = try client.pipeline([["SET", "k", "1"], ["COMMAND", "DOCS", "GET"], ["INCR", "k"]])
    #expect(replies[0] == .ok && replies[1].elements?.count == 2 && replies[2] == .integer(2))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `a script that gives such a reply gets through the second time`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    let direct = try deployment.secondary.client()
    let digest = try #require(try client.command("SCRIPT", "LOAD", Self.deep).string)
    for call in [["EVAL", Self.deep, "1", "k", "x"], ["EVALSHA", digest, "1", "k", "x"]] {
      let expected = try direct.command(call)
      let first = try client.command(call)
      #expect(first.errorText?.contains("nested") == true, "\(first)")
      for _ in 0..<3 { #expect(try client.command(call) == expected) }
      // Other scripts share the connection that is lost, but are not under suspicion.
      try eventually("other scripts are served again") {
        try client.command("EVAL", "return {{1}}", "0") == .array([.array([.integer(1)])])
      }
    }
    let calls = Array(repeating: ["EVAL", Self.deep, "0", "y"], count: 3)
    let replies = try client.pipeline([["SET", "n", "1"]] + calls + [["INCR", "n"]])
    #expect(replies.first == .ok && replies.last == .integer(2))
    #expect(replies[1] == replies[3] && replies[1].errorText == nil)
  }

  @Test func `what such a script changed is on both stores`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let script = "redis.call('INCR', KEYS[1]) " + Self.deep
    _ = try client.command("EVAL", script, "1", "k", "x")
    #expect(try client.command("EVAL", script, "1", "k", "x").elements != nil)
    #expect(try deployment.primary.client().command("GET", "k") == .text("2"))
    #expect(try client.command("GET", "k") == .text("2"))
    try deployment.waitForMetric("multistore_store_connections", ["store": "secondary"], 2)
  }

  @Test func `without a connection of its own there is an error`() throws {
    let deployment = try Deployment(instance: ["max_dedicated_connections: 0"])
    let client = try deployment.client()
    let reply = try client.command("COMMAND", "DOCS", "GET")
    #expect(reply.errorText?.contains("max_dedicated_connections") == true)
    #expect(try client.command("SET", "k", "v") == .ok)
    let other = try Deployment(stores: "connect_timeout: 1s")
    other.secondary.pause()
    let late = try other.client().command("COMMAND", "DOCS", "GET")
    #expect(late.errorText?.hasPrefix("ERR MultiStore: secondary store") == true)
    other.secondary.resume()
  }

  /// The reply with the elements of each array in an order of their own.
  private func shape(_ reply: RESPReply) -> String {
    guard let elements = reply.elements else { return "\(reply)" }
    return "[" + elements.map(shape).sorted().joined(separator: ",") + "]"
  }
}
