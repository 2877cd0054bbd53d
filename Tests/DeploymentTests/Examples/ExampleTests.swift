import Foundation
import TestSupport
import Testing
import Yams

@Suite("Configuration examples")
struct ExampleTests {
  static let names = (try? DeployFile.names(in: "deploy/examples")) ?? []

  @Test func `those that are promised are there`() {
    let promised = ["minimal.yml", "migration.yml", "shared-store.yml", "unix-sockets.yml", "acl-users.yml"]
    #expect(Set(Self.names).isSuperset(of: promised + ["kubernetes.yml", "compose.yml"]))
  }

  @Test(arguments: names) func `check-config has nothing to say about it`(name: String) throws {
    let example = try ExampleDeployment(name)
    let file = try example.directory.write(example.text, to: name)
    let outcome = try SidecarProcess.run(["check-config", "--config.file=\(file)"], environment: example.environment)
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.contains(": OK: \(example.instances.count) instance"))
    #expect(!"\(outcome.output)\(outcome.errors)".contains("warning"))
  }

  @Test(arguments: names) func `a sidecar runs with it, and each instance moves to its new store`(name: String) throws {
    let example = try ExampleDeployment(name)
    let flags = try KubernetesFlags(in: example.directory)
    let sidecar = try SidecarProcess(
      configuration: example.text,
      in: example.directory,
      environment: example.environment,
      waits: false
    )
    _ = try sidecar.address(of: "admin")
    try eventually("it is ready") { try sidecar.get("/-/ready").status == 200 }
    try eventually("all stores are connected") {
      let metrics = try sidecar.metrics()
      return metrics.sum("multistore_store_up")
        == Double(example.instances.map { $0.primary == nil ? 1 : 2 }.reduce(0, +))
    }
    for instance in example.instances {
      let client = try login(sidecar, instance)
      #expect(try client.command("SET", "before", instance.name) == .ok)
      guard let primary = instance.primary else { continue }
      let flag = "use_primary_and_secondary_stores_for_\(instance.name)"
      if example.text.contains("/flags/") {
        try flags.replace(with: "\(flag): true\n")
      } else {
        try sidecar.setFlag(flag, true)
      }
      try eventually("\(flag) is on") {
        try sidecar.metrics()[
          "multistore_feature_flag",
          [
            "flag": "use_primary_and_secondary_stores", "instance_name": instance.name,
          ]
        ] == 1
      }
      #expect(try client.command("SET", "during", instance.name) == .ok)
      try eventually("the new store of \(instance.name) has what was written") {
        try sidecar.metrics().sum(
          "multistore_commands_total",
          [
            "instance_name": instance.name, "store": "primary", "outcome": "ok",
          ]
        ) > 0 && String(describing: keys(of: example.server(primary))).contains("during")
      }
    }
    #expect(try sidecar.terminate() == .status(0))
  }

  private func login(_ sidecar: SidecarProcess, _ instance: ExampleDeployment.Instance) throws -> RESPClient {
    let client = try sidecar.client(instance: instance.name)
    guard let user = instance.user else { return client }
    #expect(try client.command("SET", "k", "v").errorText?.hasPrefix("NOAUTH") == true)
    #expect(try client.command("AUTH", user, "pw-redis_\(user)") == .ok)
    return client
  }

  /// The keys of a server's first database, seen by a user who may.
  private func keys(of server: RedisServer) throws -> RESPReply {
    let client = try RESPClient(server.address)
    for login in [["pw-redis_new"], ["multistore", "pw-redis_new"]] { try client.command(["AUTH"] + login) }
    return try client.command("KEYS", "*")
  }
}

/// A folder of flags as the kubelet makes it of a ConfigMap: a symbolic link leads to the present version.
private struct KubernetesFlags {
  let directory: TemporaryDirectory

  init(in directory: TemporaryDirectory) throws {
    self.directory = directory
    try FileManager.default.createDirectory(atPath: directory.path("flags"), withIntermediateDirectories: true)
    let map = try #require(try DeployFile.yaml("deploy/kubernetes/configmap.yaml").last)
    try replace(with: map[path: "data", "feature_flags.yml"]?.string ?? "")
    let file = directory.path("flags/feature_flags.yml")
    try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "..data/feature_flags.yml")
  }

  /// A new version in place of the present one, in one step.
  func replace(with text: String) throws {
    let version = "..\(UUID().uuidString)"
    let folder = "flags/\(version)"
    try FileManager.default.createDirectory(atPath: directory.path(folder), withIntermediateDirectories: true)
    try directory.write(text, to: "\(folder)/feature_flags.yml")
    let link = directory.path("flags/..data_tmp")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: version)
    guard rename(link, directory.path("flags/..data")) == 0 else {
      throw TestSupportError(.system, "rename of \(link)")
    }
  }
}
