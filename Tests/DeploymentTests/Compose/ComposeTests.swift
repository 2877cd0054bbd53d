import Foundation
import TestSupport
import Testing
import Yams

@Suite("docker compose")
struct ComposeTests {
  private static let file = "deploy/compose/compose.yml"

  @Test func `the file is what the compose specification asks for`() throws {
    let arguments = ["--builtin-schema", "vendor.compose-spec", DeployFile.path(Self.file)]
    let outcome = try PythonTools.run(module: "check_jsonschema", arguments)
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
  }

  @Test func `all services are there, of images that stay what they are`() throws {
    let services = try services()
    #expect(
      Set(services.keys) == ["redis-old", "redis-new", "sidecar", "prometheus", "alertmanager", "grafana"]
    )
    for (name, service) in services {
      let image = service["image"]?.string ?? ""
      #expect(image.contains(/:v?\d+\.\d+\.\d+(-[a-z]+)?$/), "\(name): \(image)")
    }
  }

  @Test func `what is mounted is there, and read-only where it comes from the repository`() throws {
    let folder = DeployFile.top.appendingPathComponent("deploy/compose")
    let volumes = try #require(try DeployFile.yaml(Self.file).first?["volumes"]?.mapping).keys.compactMap(\.string)
    var mounted: Set<String> = []
    for (name, service) in try services() {
      for mount in (service["volumes"]?.elements ?? []).compactMap(\.string) {
        let parts = mount.split(separator: ":").map(String.init)
        guard parts[0].hasPrefix(".") else {
          #expect(volumes.contains(parts[0]), "\(name): \(mount)")
          continue
        }
        let path = folder.appendingPathComponent(parts[0]).standardizedFileURL.path
        #expect(FileManager.default.fileExists(atPath: path), "\(name): \(mount)")
        #expect(parts.last == "ro", "\(name): \(mount)")
        mounted.insert(String(path.dropFirst(DeployFile.top.path.count + 1)))
      }
    }
    #expect(
      mounted.isSuperset(of: [
        "dashboards/multistore-overview.json", "dashboards/multistore-instance.json",
        "deploy/prometheus/alerts.rules.yml", "deploy/prometheus/recording.rules.yml",
        "deploy/prometheus/alertmanager.yml",
      ])
    )
  }

  @Test func `nothing listens on this machine's other addresses`() throws {
    for (name, service) in try services() {
      for port in (service["ports"]?.elements ?? []).compactMap(\.string) {
        #expect(port.hasPrefix("127.0.0.1:"), "\(name): \(port)")
      }
    }
  }

  @Test func `the sidecar has no more rights than it needs`() throws {
    let sidecar = try #require(try services()["sidecar"])
    #expect(sidecar["read_only"]?.bool == true)
    #expect(sidecar["cap_drop"]?.elements.compactMap(\.string) == ["ALL"])
    #expect(sidecar["security_opt"]?.elements.compactMap(\.string) == ["no-new-privileges:true"])
    let build = try #require(sidecar["build"])
    let folder = DeployFile.path("deploy/compose")
    let context = "\(folder)/\(build["context"]?.string ?? "")"
    #expect(FileManager.default.fileExists(atPath: "\(context)/\(build["dockerfile"]?.string ?? "")"))
  }

  @Test func `Prometheus is configured as it is elsewhere, but for the addresses`() throws {
    let elsewhere = try DeployFile.text("deploy/prometheus/prometheus.yml").replacing(all: [
      "127.0.0.1:9736": "sidecar:9736", "127.0.0.1:9093": "alertmanager:9093",
    ])
    let here = try compose(yaml: DeployFile.text("deploy/compose/prometheus.yml"))
    #expect(try here == compose(yaml: elsewhere))
    let directory = try TemporaryDirectory()
    for name in ["alerts.rules.yml", "recording.rules.yml"] {
      try directory.write(DeployFile.text("deploy/prometheus/\(name)"), to: name)
    }
    let file = try directory.write(DeployFile.text("deploy/compose/prometheus.yml"), to: "prometheus.yml")
    let outcome = try ChildProcess.run("promtool", ["check", "config", file])
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
  }

  @Test func `Grafana finds the dashboards where they are mounted, and Prometheus by its name`() throws {
    let grafana = try #require(try services()["grafana"])
    let mounts = grafana["volumes"]?.elements.compactMap(\.string) ?? []
    let provisioning = "deploy/compose/grafana/provisioning"
    let provider = try DeployFile.yaml("\(provisioning)/dashboards/multistore.yml").first?["providers"]?.elements.first
    let folder = try #require(provider?[path: "options", "path"]?.string)
    #expect(mounts.count { $0.contains(":\(folder)/multistore-") } == 2)
    let home = grafana[path: "environment", "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]?.string ?? ""
    #expect(mounts.contains { $0.contains(":\(home):") })
    let source = try DeployFile.yaml("\(provisioning)/datasources/prometheus.yml").first?["datasources"]?.elements.first
    #expect(source?["url"]?.string == "http://prometheus:9090")
    #expect(source?["type"]?.string == "prometheus")
    let prometheus = try DeployFile.yaml("deploy/compose/prometheus.yml").first
    #expect(
      source?[path: "jsonData", "timeInterval"]?.string == prometheus?[path: "global", "scrape_interval"]?.string
    )
  }

  private func services() throws -> [String: Node] {
    let services = try #require(try DeployFile.yaml(Self.file).first?["services"]?.mapping)
    return Dictionary(uniqueKeysWithValues: services.map { ($0.key.string ?? "", $0.value) })
  }
}
