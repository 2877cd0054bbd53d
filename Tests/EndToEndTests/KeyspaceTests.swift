import TestSupport
import Testing

@Suite("How many keys the stores have, on the scraped port")
struct KeyspaceTests {
  private static let names = ["keys", "expiring_keys", "average_ttl_seconds", "longest_ttl_seconds"]
    .map { "multistore_store_\($0)" }

  @Test func `keys and times to live of both stores are there soon after the start`() throws {
    let stores = (primary: try RedisServer(), secondary: try RedisServer())
    let secondary = try stores.secondary.client()
    try secondary.command("SET", "forever", "v")
    for number in 0..<30 { try secondary.command("SET", "k\(number)", "v", "EX", "5000") }
    // The server has to have made up its average before it is asked.
    try eventually { try secondary.command("INFO", "keyspace").string?.contains("avg_ttl=0") == false }
    let directory = try TemporaryDirectory()
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(
        in: directory,
        primary: stores.primary.url,
        secondary: stores.secondary.url
      ),
      in: directory
    )
    let labels = ["instance_name": "sessions", "store": "secondary"]
    try eventually { try sidecar.metrics()[Self.names[0], labels] == 31 }
    let metrics = try sidecar.metrics()
    #expect(metrics[Self.names[1], labels] == 30)
    for name in Self.names[2...] { #expect((3000...5000).contains(metrics[name, labels] ?? 0), "\(name)") }
    let empty = ["instance_name": "sessions", "store": "primary"]
    try eventually { try sidecar.metrics()[Self.names[0], empty] == 0 }
    // Nothing expires where nothing is.
    for name in Self.names[2...] { #expect(try sidecar.metrics()[name, empty] == nil, "\(name)") }
    // What is asked for this is nobody's command: the old store's counters stand still once nobody uses it.
    for store in ["primary", "secondary"] {
      #expect(try sidecar.metrics().sum("multistore_commands_total", ["store": store, "outcome": "ok"]) == 0)
    }
    stores.secondary.kill()
    try eventually { try sidecar.metrics()[Self.names[0], labels] == nil }
  }

  @Test func `it can be switched off`() throws {
    let deployment = try Deployment(instance: ["keyspace_sampling: false"])
    let client = try deployment.client()
    #expect(try client.command("SET", "k", "v") == .ok)
    for name in Self.names { #expect(!(try deployment.sidecar.metrics().text.contains("\(name){"))) }
    let asked = try deployment.secondary.client().command("INFO", "commandstats").string ?? ""
    #expect(asked.contains("cmdstat_set:calls=1,") && !asked.contains("randomkey"))
  }

  @Test func `a store that refuses to be asked is of use all the same`() throws {
    let primary = try RedisServer()
    let secondary = try RedisServer(users: ["bob on >secret ~* &* +@all -info"])
    let directory = try TemporaryDirectory()
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(
        in: directory,
        primary: primary.url,
        secondary: secondary.url.replacing("unix://", with: "unix://bob:secret@")
      ),
      in: directory
    )
    let refusal = try sidecar.waitForEvent { $0.message.contains("it refuses to say") }
    #expect(refusal["store"]?.string == "secondary" && refusal["severity"]?.string == "INFO")
    #expect(refusal["reason"]?.string?.hasPrefix("NOPERM") == true)
    #expect(try sidecar.client(instance: "sessions").command("SET", "k", "v") == .ok)
    let metrics = try sidecar.metrics()
    #expect(metrics[Self.names[0], ["instance_name": "sessions", "store": "secondary"]] == nil)
    try eventually {
      try sidecar.metrics()[Self.names[0], ["instance_name": "sessions", "store": "primary"]] != nil
    }
  }
}
