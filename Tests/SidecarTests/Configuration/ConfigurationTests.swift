@testable import Sidecar
import TestSupport
import MultiStore
import Sockets
import Testing

@Suite("Good configurations")
struct ConfigurationTests {
  @Test("The example of the design, with everything that it leaves out at its default")
  func designExample() throws {
    let yaml = """
      stores:                            # shared definitions, referred to by name
        shared_state: { url: "redis://127.0.0.1:6379/0" }
      instances:
        - name: sessions
          listen: 127.0.0.1:6400
          primary: { url: "redis://:${SESSIONS_PASSWORD}@127.0.0.1:6380/0" }
          secondary: shared_state
          read_policy: fallback
          write_acknowledgement: both
      feature_flags:
        file: /var/lib/multistore/feature_flags.yml
      """
    let result = try configuration(yaml, environment: ["SESSIONS_PASSWORD": "p/w@1:2"])
    let secondary = StoreConfiguration(
      name: "shared_state",
      place: .address(.tcp(host: "127.0.0.1", port: 6379)),
      username: nil,
      password: nil,
      database: 0,
      namesDatabase: true,
      connectTimeout: .seconds(5),
      commandTimeout: .seconds(5),
      maxQueuedCommands: 100_000,
      maxQueuedBytes: 256 << 20
    )
    var primary = secondary
    primary.name = "sessions.primary"
    primary.place = .address(.tcp(host: "127.0.0.1", port: 6380))
    primary.password = Secret("p/w@1:2")
    let limits = InstanceConfiguration.Limits(
      maxClients: 10_000,
      idleTimeout: nil,
      maxBulkBytes: 512 << 20,
      maxArguments: 1_048_576,
      clientOutputBufferLimitBytes: 256 << 20,
      maxPipelinedCommands: 10_000,
      maxDedicatedConnections: 1000,
      maxStaleKeys: 100_000,
      maxKeysAtFlip: 1000,
      keyWorkRate: 1000,
      largeKeyBytes: 8 << 20,
      eventRateLimitPerSecond: 10
    )
    let instance = InstanceConfiguration(
      name: "sessions",
      listen: [ListenAddress(.tcp(host: "127.0.0.1", port: 6400))],
      primary: primary,
      secondary: secondary,
      readPolicy: .fallback,
      writeAcknowledgement: .both,
      otherStoreTimeout: .seconds(1),
      unlistedCommands: .forward,
      scripts: .copyKeys,
      comparison: .canonical,
      recheckDiffs: false,
      keyspaceSampling: true,
      allowFlush: false,
      logValues: false,
      password: nil,
      settledChecks: InstanceConfiguration.SettledChecks(rate: 1000, delay: .seconds(2), heals: true),
      limits: limits
    )
    #expect(result.instances == [instance])
    #expect(result.featureFlagFile == "/var/lib/multistore/feature_flags.yml")
    #expect(result.stateDirectory == nil && result.adminToken == nil)
    #expect(result.logQueueLimitBytes == 4 << 20)
    #expect(result.shutdownTimeout == .seconds(10))
  }

  @Test("Every key of an instance")
  func everyInstanceKey() throws {
    let yaml = """
      instances:
        - name: cache_2
          listen: [unix:/run/cache.sock, "[::1]:6400", "localhost:0"]
          secondary: { url: unix:/run/redis.sock }
          read_policy: default_store
          write_acknowledgement: default_store
          unlisted_commands: reject
          scripts: run_on_both
          comparison: exact
          recheck_diffs: true
          keyspace_sampling: false
          allow_flush: true
          log_values: true
          password: hunter2
          users: [{ name: bob, password: "*" }, { name: eve, password: hunter3 }]
          max_clients: 7
          idle_timeout: 5m
          max_bulk_bytes: 64MiB
          max_arguments: 1000
          client_output_buffer_limit: 1048576
          max_pipeline: 9
          max_dedicated_connections: 12
          max_stale_keys: 34
          max_keys_at_flip: 5
          key_work_rate: 67
          settled_checks: { rate: 89, delay: 3s, heal: false }
          large_key_bytes: 1MiB
          event_rate_limit: 3
      """
    let instance = try #require(try configuration(yaml).instances.first)
    #expect(
      instance.listen.map(\.address) == [
        .unix(path: "/run/cache.sock"), .tcp(host: "::1", port: 6400), .tcp(host: "localhost", port: 0),
      ]
    )
    #expect(instance.primary == nil)
    #expect(instance.readPolicy == .defaultStore)
    #expect(instance.writeAcknowledgement == .defaultStore)
    #expect(instance.unlistedCommands == .reject && instance.scripts == .runOnBoth)
    #expect(instance.comparison == .exact)
    #expect(instance.recheckDiffs && instance.allowFlush && instance.logValues && !instance.keyspaceSampling)
    #expect(instance.password?.value == "hunter2")
    #expect(instance.users.map(\.name) == ["bob", "eve"] && instance.users.map(\.password?.value) == ["*", "hunter3"])
    let limits = InstanceConfiguration.Limits(
      maxClients: 7,
      idleTimeout: .seconds(300),
      maxBulkBytes: 64 << 20,
      maxArguments: 1000,
      clientOutputBufferLimitBytes: 1 << 20,
      maxPipelinedCommands: 9,
      maxDedicatedConnections: 12,
      maxStaleKeys: 34,
      maxKeysAtFlip: 5,
      keyWorkRate: 67,
      largeKeyBytes: 1 << 20,
      eventRateLimitPerSecond: 3
    )
    #expect(instance.limits == limits)
    let checks = InstanceConfiguration.SettledChecks(rate: 89, delay: .seconds(3), heals: false)
    #expect(instance.settledChecks == checks)
  }

  @Test("Every key of a store and of the other sections")
  func everyOtherKey() throws {
    let folder = try TemporaryDirectory()
    try folder.write("s3cret\n", to: "password")
    try folder.write("t0ken", to: "token")
    let yaml = """
      instances:
        - name: a
          listen: unix:/run/a.sock
          secondary:
            url: redis://redis.internal/3
            username: app
            password_file: password
            connect_timeout: 250ms
            command_timeout: none
            max_queued_commands: 5
            max_queued_bytes: 1GiB
      feature_flags: { file: flags.yml }
      admin: { token_file: "\(folder.path("token"))" }
      log: { queue_limit: 64KiB }
      shutdown_timeout: 1h
      """
    let file = try folder.write(yaml, to: "sidecar.yml")
    let result = SidecarConfiguration.load(file: file)
    let configuration = try #require(result.configuration, "\(result.problems)")
    let store = try #require(configuration.instances.first?.secondary)
    #expect(store.name == "a.secondary")
    #expect(store.place == .address(.tcp(host: "redis.internal", port: 6379)))
    #expect(store.database == 3)
    #expect(store.username == "app")
    #expect(store.password?.value == "s3cret")
    #expect(store.connectTimeout == .milliseconds(250))
    #expect(store.commandTimeout == nil)
    #expect(store.maxQueuedCommands == 5)
    #expect(store.maxQueuedBytes == 1 << 30)
    #expect(configuration.featureFlagFile == folder.path("flags.yml"))
    #expect(configuration.adminToken?.value == "t0ken")
    #expect(configuration.logQueueLimitBytes == 64 << 10)
    #expect(configuration.shutdownTimeout == .seconds(3600))
  }

  @Test("Values come from the environment as they are, also where they look like YAML or a variable")
  func environmentValues() throws {
    let environment = [
      "NAME": "sessions", "PASSWORD": "{a: [1]} # ${NAME} 'x'", "CLIENTS": "12", "VALUES": "true", "LISTEN": "[::1]:1",
      "IDLE": "3s", "STORE": "shared",
    ]
    let yaml = """
      stores: { shared: { url: "redis://h" } }
      instances:
        - name: ${NAME}
          listen: ["${LISTEN}"]
          secondary: ${STORE}
          password: "${PASSWORD}$${NAME}$"
          max_clients: ${CLIENTS}
          log_values: ${VALUES}
          idle_timeout: ${IDLE}
      """
    let instance = try #require(try configuration(yaml, environment: environment).instances.first)
    #expect(instance.name == "sessions")
    #expect(instance.listen.map(\.address) == [.tcp(host: "::1", port: 1)])
    #expect(instance.secondary.name == "shared")
    #expect(instance.password?.value == "{a: [1]} # ${NAME} 'x'${NAME}$")
    #expect(instance.limits.maxClients == 12)
    #expect(instance.logValues)
    #expect(instance.limits.idleTimeout == .seconds(3))
  }

  @Test("Anchors and aliases repeat a part")
  func aliases() throws {
    let yaml = """
      instances:
        - name: a
          listen: unix:/run/a.sock
          secondary: &old { url: "redis://h/1" }
        - { name: b, listen: unix:/run/b.sock, secondary: *old }
      """
    let instances = try configuration(yaml).instances
    #expect(instances.map(\.secondary.database) == [1, 1])
    #expect(instances.map(\.secondary.name) == ["a.secondary", "b.secondary"])
  }

  @Test("A byte order mark and CRLF line ends, as editors on Windows leave them")
  func windowsText() throws {
    let yaml = "\u{FEFF}" + minimal().replacing("\n", with: "\r\n")
    #expect(try configuration(yaml).instances.count == 1)
  }

  @Test("One trailing line end is no part of a password in a file", arguments: ["pw", "pw\n", "pw\r\n"])
  func passwordFile(text: String) throws {
    let folder = try TemporaryDirectory()
    let file = try folder.write(text, to: "password")
    let instance = try configuration(minimal(instance: "password_file: \(file)")).instances[0]
    #expect(instance.password?.value == "pw")
  }

  @Test("The table of keys has each key, and each default in it is one that its key takes")
  func reference() throws {
    let reference = SidecarConfiguration.reference
    let rows = reference.split(separator: "\n").filter { $0.hasPrefix("| `") }
    #expect(rows.count == 89)
    #expect(rows.contains("| `max_clients` | number, 1–1000000 | `10000` | Clients connected at once. |"))
    var values: [String: String] = [:]
    for row in rows {
      let cells = row.split(separator: "|").map { $0.trimmingPrefix(" ").trimmingSuffix() }
      #expect(cells.count == 4, "\(row)")
      if cells[2].hasPrefix("`"), cells[2].hasSuffix("`") { values[cells[0].unquoted] = cells[2].unquoted }
    }
    let instanceKeys =
      ["read_policy", "write_acknowledgement", "unlisted_commands", "scripts", "comparison", "log_values"]
      + ["max_clients", "max_bulk_bytes", "max_arguments", "client_output_buffer_limit", "max_pipeline"]
      + ["max_dedicated_connections", "max_stale_keys", "max_keys_at_flip", "key_work_rate", "event_rate_limit"]
    let lines = try instanceKeys.map { "\($0): \(try #require(values[$0]))" }
    let explicit = try configuration(minimal(instance: lines.joined(separator: "\n")))
    #expect(try configuration(minimal()) == explicit)
  }
}

extension Substring {
  fileprivate func trimmingSuffix() -> Substring {
    last == " " ? dropLast() : self
  }

  fileprivate var unquoted: String { String(dropFirst().dropLast()) }
}
