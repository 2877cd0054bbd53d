import Foundation
import TestSupport
import Testing

@Suite("Feature flags of a running sidecar")
struct FlagTests {
  private static let dual = Deployment.dualFlag

  @Test func `an edit of the file is in force soon, and logged with old and new value`() throws {
    let deployment = try Deployment(.off, flagFile: true)
    let client = try deployment.client()
    try deployment.sidecar.directory.write(Deployment.flags(.dual), to: "flags.yml")
    try deployment.waitForFlag("use_primary_and_secondary_stores", 1)
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try deployment.primary.client().command("GET", "k") == .text("v"))
    let event = try deployment.sidecar.waitForEvent { $0.message == "Feature flag changed" }
    #expect(event["flag"]?.string == Self.dual)
    #expect(event["old"] == .bool(false) || event["old"] == .string("false"))
    #expect(event["new"] == .bool(true) || event["new"] == .string("true"))
    #expect(event["source"]?.string?.contains("file") == true)
    // An editor that replaces the file does it as well.
    let other = try deployment.sidecar.directory.write(Deployment.flags(.primaryOnly), to: "flags.new")
    #expect(rename(other, deployment.sidecar.directory.path("flags.yml")) == 0)
    try deployment.waitForFlag("use_primary_and_secondary_stores", 0)
    try deployment.waitForFlag("use_primary_store_as_default", 1)
    try deployment.waitForMetric("multistore_default_store", ["store": "primary"], 1)
  }

  @Test func `the link that a ConfigMap swaps is followed`() throws {
    let store = (primary: try RedisServer(), secondary: try RedisServer())
    let directory = try TemporaryDirectory()
    let mount = directory.path("mount")
    // As Kubernetes lays it out: file → ..data/file, ..data → a folder with the time in its name.
    func publish(_ name: String, _ state: MigrationState) throws {
      try FileManager.default.createDirectory(atPath: "\(mount)/\(name)", withIntermediateDirectories: true)
      try directory.write(Deployment.flags(state), to: "mount/\(name)/flags.yml")
      symlink(name, "\(mount)/..data_tmp")
      #expect(rename("\(mount)/..data_tmp", "\(mount)/..data") == 0)
    }
    try publish("..2024_01", .off)
    symlink("..data/flags.yml", "\(mount)/flags.yml")
    let configuration = Deployment.configuration(
      in: directory,
      primary: store.primary.url,
      secondary: store.secondary.url
    )
    .replacing(directory.path("flags.yml"), with: "\(mount)/flags.yml")
    let sidecar = try SidecarProcess(configuration: configuration, in: directory)
    for (name, state) in [("..2024_02", MigrationState.dual), ("..2024_03", .off), ("..2024_04", .dual)] {
      try publish(name, state)
      try eventually("\(name) is in force") {
        let answer = try sidecar.admin("GET", "/api/v4/features/\(Self.dual)")
        return try JSONValue(parsing: answer.text)["state"]?.string == (state.isDual ? "on" : "off")
      }
    }
  }

  @Test func `a file that does not parse leaves the last good flags in force, and says so`() throws {
    let deployment = try Deployment(.dual, flagFile: true)
    let directory = deployment.sidecar.directory
    for text in ["\(Self.dual): maybe\n", "[1, 2", "", "\(Self.dual): true\n\(Self.dual): false\n"] {
      try directory.write(Deployment.flags(.dual), to: "flags.yml")
      try eventually { try deployment.sidecar.metrics()["multistore_feature_flag_last_reload_successful"] == 1 }
      let before = try #require(try deployment.sidecar.metrics()["multistore_feature_flag_reload_failures_total"])
      try directory.write(text, to: "flags.new")
      #expect(rename(directory.path("flags.new"), directory.path("flags.yml")) == 0)
      try eventually { try deployment.sidecar.metrics()["multistore_feature_flag_last_reload_successful"] == 0 }
      let metrics = try deployment.sidecar.metrics()
      #expect(metrics["multistore_feature_flag_reload_failures_total"] ?? 0 > before)
      try deployment.waitForFlag("use_primary_and_secondary_stores", 1)
      // The file is somebody's work in progress: a change of a flag does not write over it.
      let answer = try deployment.sidecar.admin("POST", "/api/v4/features/\(Self.dual)", form: ["value": "false"])
      #expect(answer.status >= 400)
      #expect(try directory.read("flags.yml") == text)
    }
    let event = try deployment.sidecar.waitForEvent { $0.message.contains("last good flags stay in force") }
    #expect(event["problem"]?.string?.contains("flags.yml") == true)
    try directory.write(Deployment.flags(.off), to: "flags.yml")
    try deployment.waitForFlag("use_primary_and_secondary_stores", 0)
    #expect(try deployment.sidecar.metrics()["multistore_feature_flag_last_reload_successful"] == 1)
  }

  @Test func `the admin API shows, sets and removes flags, and knows their names`() throws {
    let deployment = try Deployment(.off, flagFile: true)
    let sidecar = deployment.sidecar
    let path = "/api/v4/features/\(Self.dual)"
    let set = try sidecar.admin("POST", path, form: ["value": "true"])
    #expect(set.status == 201)
    #expect(try JSONValue(parsing: set.text)["state"]?.string == "on")
    // In force for the very next command.
    #expect(try deployment.client().command("SET", "k", "v") == .ok)
    #expect(try deployment.primary.client().command("GET", "k") == .text("v"))
    let list = try #require(try JSONValue(parsing: sidecar.admin("GET", "/api/v4/features").text).elements)
    let states = Dictionary(uniqueKeysWithValues: list.map { ($0["name"]?.string, $0["state"]?.string) })
    #expect(states == [Self.dual: "on", Deployment.defaultFlag: "off"])
    #expect(try sidecar.admin("DELETE", path).status == 204)
    #expect(try JSONValue(parsing: sidecar.admin("GET", path).text)["state"]?.string == "off")
    let unknown = try sidecar.admin("POST", "/api/v4/features/use_primary_store_for_nobody", form: ["value": "true"])
    #expect(unknown.status == 404)
    #expect(unknown.text.contains(Self.dual) && unknown.text.contains(Deployment.defaultFlag))
    #expect(try sidecar.admin("POST", path, form: ["value": "perhaps"]).status == 400)
    #expect(try sidecar.admin("POST", path).status == 400)
    // The scraped port changes nothing.
    #expect(try sidecar.get("/api/v4/features").status == 404)
  }

  @Test func `the command line shows and sets flags`() throws {
    let deployment = try Deployment(.off, flagFile: true)
    let admin = "--admin.listen-address=unix:\(deployment.sidecar.directory.path("admin.sock"))"
    let set = try SidecarProcess.run(["feature", "set", Self.dual, "true", admin])
    #expect(set.exit == .status(0) && set.output == "\(Self.dual): on\n")
    let all = try SidecarProcess.run(
      ["feature", "get"],
      environment: ["MULTISTORE_ADMIN_LISTEN_ADDRESS": String(admin.drop { $0 != "=" }.dropFirst())]
    )
    let lines = Set(all.output.split(separator: "\n"))
    #expect(lines == ["\(Self.dual): on", "\(Deployment.defaultFlag): off"])
    #expect(try SidecarProcess.run(["feature", "get", Self.dual, admin]).output == "\(Self.dual): on\n")
    let unknown = try SidecarProcess.run(["feature", "set", "use_nothing", "true", admin])
    #expect(unknown.exit == .status(1) && unknown.errors.contains(Self.dual))
    #expect(try SidecarProcess.run(["feature", "set", Self.dual, "perhaps", admin]).exit == .status(64))
    let socket = deployment.sidecar.directory.path("nobody.sock")
    let nobody = try SidecarProcess.run(["feature", "get", "--admin.listen-address=unix:\(socket)"])
    #expect(nobody.exit == .status(2) && nobody.errors.contains(socket))
    try deployment.waitForFlag("use_primary_and_secondary_stores", 1)
  }

  @Test func `what was set survives a restart`() throws {
    let deployment = try Deployment(.off, flagFile: true)
    let directory = deployment.sidecar.directory
    try deployment.move(to: .dualPrimary)
    try deployment.finish()
    #expect(try directory.read("flags.yml") == Deployment.flags(.dualPrimary))
    let configuration = try directory.read("sidecar.yml")
    let sidecar = try SidecarProcess(configuration: configuration, in: directory)
    let list = try #require(try JSONValue(parsing: sidecar.admin("GET", "/api/v4/features").text).elements)
    #expect(list.allSatisfy { $0["state"]?.string == "on" })
    try sidecar.waitForEvent("warning about flags that are on") {
      $0["severity"]?.string == "WARN" && $0.message.hasPrefix("Feature flags at start")
    }
  }

  @Test func `whoever can reach the admin API could flip flags: beyond loopback it asks for a token`() throws {
    let secondary = try RedisServer()
    let directory = try TemporaryDirectory()
    let configuration = Deployment.configuration(in: directory, primary: nil, secondary: secondary.url)
    let refused = try SidecarProcess(
      configuration: configuration,
      in: directory,
      arguments: ["--admin.listen-address=0.0.0.0:0"],
      waits: false
    )
    #expect(try refused.process.waitForExit() == .status(2))
    try refused.log.waitForEnd()
    #expect(refused.log.text.contains("admin.token_file"))

    let token = try directory.write("s3cret-token\n", to: "token")
    let sidecar = try SidecarProcess(
      configuration: configuration + "admin: { token_file: \"\(token)\" }\n",
      in: directory,
      arguments: ["--admin.listen-address=0.0.0.0:0"]
    )
    let flags = "/api/v4/features/\(Self.dual)"
    guard case .port(let port) = try sidecar.address(of: "admin") else { throw TestSupportError(.malformed, "no port") }
    func status(_ headers: [String: String]) throws -> Int {
      try HTTPClient.request("GET", flags, of: .port(port), headers: headers).status
    }
    #expect(try status([:]) == 401)
    #expect(try status(["Authorization": "Bearer s3cret-toke"]) == 401)
    #expect(try status(["Authorization": "Bearer s3cret-token"]) == 200)
    let set = ["feature", "set", Self.dual, "true", "--admin.listen-address=127.0.0.1:\(port)"]
    #expect(try SidecarProcess.run(set).exit == .status(1))
    #expect(try SidecarProcess.run(set + ["--admin.token-file=\(token)"]).exit == .status(0))
    #expect(try sidecar.terminate() == .status(0))
    #expect(!sidecar.log.text.contains("s3cret"))
  }
}

extension Deployment {
  /// Waits until /metrics shows the state of a flag.
  fileprivate func waitForFlag(_ flag: String, _ value: Double) throws {
    try waitForMetric("multistore_feature_flag", ["flag": flag], value)
  }
}
