import TestSupport
import Testing

@Suite("Commands that are neither reads nor writes")
struct UnlistedCommandTests {
  @Test func `they are counted and logged in every state, before the first flag is flipped`() throws {
    let deployment = try Deployment(instance: ["event_rate_limit: 1000"])
    let client = try deployment.client()
    for (count, state) in zip(1..., MigrationState.allCases) {
      try deployment.move(to: state)
      _ = try client.command("TIME")
      #expect(try deployment.metric(MultiStoreNames.methodMissing, ["command": "time"]) == Double(count))
    }
    try deployment.finish()
    let events = deployment.events(MultiStoreNames.methodMissingError)
    #expect(events.count == MigrationState.allCases.count)
    let event = try #require(events.first)
    #expect(event.message == "Method missing. Falling back to execute method on the redis default store.")
    #expect(event["extra.command_name"]?.string == "time")
    #expect(event["extra.instance_name"]?.string == "sessions")
    #expect(event["severity"]?.string == "ERROR")
  }

  @Test func `what a client makes up is labelled other, and INFO is counted nowhere`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    for name in ["made-up", "SECRET-token", "x{y=\"z\"}"] {
      #expect(try client.command(name).errorText?.hasPrefix("ERR unknown command") == true)
    }
    #expect(try client.command("INFO", "server").string?.contains("redis_version") == true)
    let metrics = try deployment.sidecar.metrics()
    #expect(metrics[MultiStoreNames.methodMissing, ["command": "other", "instance_name": "sessions"]] == 3)
    #expect(metrics.sum(MultiStoreNames.methodMissing) == 3)
    #expect(!metrics.text.contains("SECRET") && !metrics.text.contains("made-up"))
    try deployment.finish()
    #expect(!deployment.sidecar.log.text.contains("SECRET"))
  }

  @Test func `they can be refused instead`() throws {
    let deployment = try Deployment(instance: ["unlisted_commands: reject"])
    let client = try deployment.client()
    let refusal = try client.command("CONFIG", "SET", "maxmemory", "1mb")
    #expect(refusal.errorText?.contains("config|set") == true)
    let setting = try deployment.secondary.client().command("CONFIG", "GET", "maxmemory")
    #expect(setting == .array([.text("maxmemory"), .text("0")]))
    #expect(try deployment.metric(MultiStoreNames.methodMissing, ["command": "config"]) == 1)
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("INFO", "server").string?.contains("redis_version") == true)
  }
}
