import TestSupport
import Testing

/// Scripts that a client loads once and then only names by digest.
@Suite struct ScriptTests {
  private static let body = "return {KEYS[1], ARGV[1]}"
  private static let expected = RESPReply.array([.text("k"), .text("v")])

  @Test func `a script that was loaded before is there after each flip, in transactions too`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    let digest = try #require(client.command("SCRIPT", "LOAD", Self.body).string)
    let call = ["EVALSHA", digest, "1", "k", "v"]
    for state in [MigrationState.dual, .dualPrimary, .primaryOnly, .dualPrimary, .off] {
      try deployment.move(to: state)
      #expect(try client.command(call) == Self.expected, "\(state)")
      #expect(try client.pipeline([["MULTI"], call, ["EXEC"]]).last == .array([Self.expected]), "\(state)")
      #expect(try client.command("SCRIPT", "EXISTS", digest) == .array([.integer(1)]))
    }
  }

  @Test func `a script that came with EVAL is there after a flip`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    #expect(try client.command("EVAL", Self.body, "1", "k", "v") == Self.expected)
    let digest = try #require(deployment.secondary.client().command("SCRIPT", "LOAD", Self.body).string)
    #expect(try deployment.primary.client().command("SCRIPT", "EXISTS", digest) == .array([.integer(0)]))
    try deployment.move(to: .dualPrimary)
    #expect(try client.command("EVALSHA", digest, "1", "k", "v") == Self.expected)
  }

  @Test func `scripts are loaded once before a flip, and are there in every database after it`() throws {
    let deployment = try Deployment(.dual)
    let clients = try (0..<4).map { _ in try deployment.client() }
    for (number, client) in clients.enumerated() { #expect(try client.command("SELECT", "\(number)") == .ok) }
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    var digests: [String] = []
    for number in 1...3 {
      #expect(try clients[0].command("EVAL", "return \(number)", "0") == .integer(number))
      digests.append(try #require(old.command("SCRIPT", "LOAD", "return \(number)").string))
    }
    // Connections load scripts of the sidecar's own when they are made.
    try deployment.waitForMetric("multistore_store_connections", ["store": "primary"], 4)
    #expect(try new.command("CONFIG", "RESETSTAT") == .ok)
    try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    for client in clients {
      for (index, digest) in digests.enumerated() {
        #expect(try client.command("EVALSHA", digest, "0") == .integer(index + 1))
      }
    }
    let statistics = try #require(new.command("INFO", "commandstats").string)
    #expect(statistics.contains("cmdstat_script|load:calls=3,"), "\(statistics)")
  }

  @Test func `a store that lost its scripts gets them again with its connection`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    let digest = try #require(client.command("SCRIPT", "LOAD", Self.body).string)
    let store = try deployment.secondary.client()
    #expect(try store.command("SCRIPT", "FLUSH") == .ok)
    try store.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    try eventually("the script is there again") {
      try client.command("EVALSHA", digest, "1", "k", "v") == Self.expected
    }
  }

  @Test func `what was flushed is forgotten`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let digest = try #require(client.command("SCRIPT", "LOAD", Self.body).string)
    #expect(try client.command("SCRIPT", "FLUSH") == .ok)
    try deployment.move(to: .dualPrimary)
    let reply = try client.command("EVALSHA", digest, "1", "k", "v")
    #expect(reply.errorText?.hasPrefix("NOSCRIPT") == true)
  }

  @Test func `what a script wrote before it failed is on both stores`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let body = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('LPUSH', KEYS[1], 'x')"
    let reply = try client.command("EVAL", body, "1", "k", "alone")
    #expect(reply.errorText?.contains("WRONGTYPE") == true)
    let replies = try client.pipeline([["MULTI"], ["EVAL", body, "1", "l", "queued"], ["EXEC"]])
    #expect(replies.last?.elements?.first?.errorText?.contains("WRONGTYPE") == true)
    for store in [deployment.primary, deployment.secondary] {
      #expect(try store.client().command("MGET", "k", "l") == .array([.text("alone"), .text("queued")]))
    }
    #expect(try deployment.sidecar.metrics().sum(MultiStoreNames.pipelinedDiff) == 0)
  }

  @Test func `functions that were loaded before are there when the default moves`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    let library = "#!lua name=mine\nredis.register_function('tell', function(keys, args) return {keys[1], args[1]} end)"
    #expect(try client.command("FUNCTION", "LOAD", library) == .text("mine"))
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    #expect(try new.command("FUNCTION", "LIST") == .array([]))
    try deployment.move(to: .dual)
    try eventually("the new store has the functions") {
      _ = try client.command("PING")
      return try new.command("FUNCTION", "LIST") == old.command("FUNCTION", "LIST")
    }
    try deployment.move(to: .dualPrimary)
    #expect(try client.command("FCALL", "tell", "1", "k", "v") == Self.expected)
  }

  @Test func `changes of functions that the new store missed reach it when it is back`() throws {
    let deployment = try Deployment(.dual, instance: ["other_store_timeout: 1s"])
    let client = try deployment.client()
    func library(_ name: String, answering text: String) -> String {
      "#!lua name=\(name)\nredis.register_function('\(name)', function() return '\(text)' end)"
    }
    for name in ["kept", "removed"] {
      #expect(try client.command("FUNCTION", "LOAD", library(name, answering: "old")) == .text(name))
    }
    deployment.primary.pause()
    // This is the command that waits for the store. Nothing is sent there from then on.
    #expect(try client.command("SET", "k", "v") == .ok)
    try deployment.waitForMetric("multistore_store_up", ["store": "primary"], 0)
    #expect(try client.command("FUNCTION", "LOAD", "REPLACE", library("kept", answering: "new")) == .text("kept"))
    #expect(try client.command("FUNCTION", "DELETE", "removed") == .ok)
    deployment.primary.resume()
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    let list = ["FUNCTION", "LIST", "WITHCODE"]
    try eventually("the new store has the functions") { try new.command(list) == old.command(list) }
    try deployment.move(to: .dualPrimary)
    #expect(try client.command("FCALL", "kept", "0") == .text("new"))
    #expect(try client.command("FCALL", "removed", "0").errorText?.contains("Function not found") == true)
  }

  @Test func `a store that can't take the functions is named in the log`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    let library = "#!lua name=mine\nredis.register_function('tell', function() return 1 end)"
    #expect(try client.command("FUNCTION", "LOAD", library) == .text("mine"))
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    try new.command("ACL", "SETUSER", "default", "-function|restore")
    try deployment.move(to: .dual)
    try deployment.sidecar.waitForEvent("warning about the functions") {
      $0.message.hasPrefix("Functions could not be copied") && $0["store"]?.string == "primary"
    }
    // With its next connection it gets them.
    try new.command("ACL", "SETUSER", "default", "+function|restore")
    try new.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    try eventually("the new store has the functions") {
      try new.command("FUNCTION", "LIST") == old.command("FUNCTION", "LIST")
    }
  }
}
