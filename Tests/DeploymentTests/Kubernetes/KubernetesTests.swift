import Foundation
import TestSupport
import Testing
import Yams

@Suite("Kubernetes")
struct KubernetesTests {
  private static let folder = "deploy/kubernetes"
  /// What the API server itself knows.
  static let core = ["configmap.yaml", "secret.yaml", "deployment.yaml", "networkpolicy.yaml"]
  /// What the Prometheus Operator adds.
  static let custom = ["podmonitor.yaml", "prometheusrule.yaml"]

  /// 1.29 is the first version whose native sidecars need no feature gate.
  @Test(arguments: ["1.29", "1.33", "1.37"]) func `the API server of a version takes the objects`(version: String)
    throws
  {
    let files = Self.core.map { DeployFile.path("\(Self.folder)/\($0)") }
    let arguments = ["--strict", "--kubernetes-version", version] + files
    let outcome = try PythonTools.run(module: "kubernetes_validate", arguments)
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
  }

  @Test func `the Prometheus Operator takes its own`() throws {
    let files = Self.custom.map { DeployFile.path("\(Self.folder)/\($0)") }
    let outcome = try PythonTools.run(script: "prometheus_operator.py", files)
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.contains("PodMonitor multistore-exporter"))
    #expect(outcome.output.contains("PrometheusRule multistore-exporter"))
  }

  @Test func `kustomization.yaml names every file`() throws {
    let file = try #require(try DeployFile.yaml("\(Self.folder)/kustomization.yaml").first)
    let named = file["resources"]?.elements.compactMap(\.string) ?? []
    let found = try DeployFile.names(in: Self.folder).filter { $0.hasSuffix(".yaml") }
    #expect(Set(named) == Set(found).subtracting(["kustomization.yaml"]))
    #expect(Set(named) == Set(Self.core + Self.custom))
  }

  @Test func `the rules are those of deploy/prometheus`() throws {
    let directory = try TemporaryDirectory()
    let rendered = directory.path("prometheusrule.yaml")
    let outcome = try ChildProcess.run(DeployFile.path("\(Self.folder)/render-rules.sh"), [rendered])
    #expect(outcome.exit == .status(0), "\(outcome.errors)")
    let committed = try DeployFile.text("\(Self.folder)/prometheusrule.yaml")
    #expect(try directory.read("prometheusrule.yaml") == committed, "run \(Self.folder)/render-rules.sh")
    let groups = try compose(yaml: committed)?[path: "spec", "groups"]?.elements ?? []
    let original = try ["recording.rules.yml", "alerts.rules.yml"].flatMap {
      try DeployFile.yaml("deploy/prometheus/\($0)").first?["groups"]?.elements ?? []
    }
    #expect(groups == original && !groups.isEmpty)
  }

  @Test func `the configuration is the example that is tested`() throws {
    let map = try #require(try DeployFile.yaml("\(Self.folder)/configmap.yaml").first)
    #expect(map[path: "data", "sidecar.yml"]?.string == (try DeployFile.text("deploy/examples/kubernetes.yml")))
  }

  /// Of the four combinations of read_policy and write_acknowledgement these are right for several sidecars.
  @Test func `each Pod reads where the others have written by the time that they answer`() throws {
    let deployment = try #require(try DeployFile.yaml("\(Self.folder)/deployment.yaml").first)
    #expect(deployment[path: "spec", "replicas"]?.int ?? 1 > 1)
    let example = try #require(try DeployFile.yaml("deploy/examples/kubernetes.yml").first)
    let instances = try #require(example["instances"]?.elements)
    #expect(instances.map { $0["read_policy"]?.string } == ["default_store"])
  }

  @Test func `the sidecar is a native one without rights, and its probes are the pages of the program`() throws {
    let pod = try pod()
    let sidecar = try #require(pod["initContainers"]?.elements.first)
    #expect(sidecar["restartPolicy"]?.string == "Always")
    let security = try #require(sidecar["securityContext"])
    #expect(security["allowPrivilegeEscalation"]?.bool == false)
    #expect(security["privileged"]?.bool == false)
    #expect(security["readOnlyRootFilesystem"]?.bool == true)
    #expect(security[path: "capabilities", "drop"]?.elements.compactMap(\.string) == ["ALL"])
    #expect(pod[path: "securityContext", "runAsNonRoot"]?.bool == true)
    #expect(pod[path: "securityContext", "seccompProfile", "type"]?.string == "RuntimeDefault")
    // The image's user, and the group that may read the Secret.
    let user = try #require(try Dockerfile().last("USER").first)
    let ids = [security["runAsUser"]?.int, security["runAsGroup"]?.int].map { "\($0 ?? 0)" }
    #expect(ids.joined(separator: ":") == user)
    #expect("\(pod[path: "securityContext", "fsGroup"]?.int ?? 0)" == ids[1])
    for container in (pod["initContainers"]?.elements ?? []) + (pod["containers"]?.elements ?? []) {
      #expect(container[path: "resources", "requests", "memory"] != nil)
      #expect(container[path: "resources", "limits", "memory"] != nil)
    }
    let probes = ["startupProbe", "livenessProbe", "readinessProbe"].map {
      sidecar[path: $0, "httpGet", "path"]?.string
    }
    #expect(probes == ["/-/healthy", "/-/healthy", "/-/ready"])
    #expect(sidecar["ports"]?.elements.first?["name"]?.string == "metrics")
  }

  @Test func `what the sidecar reads is mounted, flags and secrets as folders`() throws {
    let pod = try pod()
    let sidecar = try #require(pod["initContainers"]?.elements.first)
    let mounts = sidecar["volumeMounts"]?.elements ?? []
    let folders = Set(mounts.compactMap { $0["mountPath"]?.string })
    #expect(mounts.allSatisfy { $0["subPath"] == nil })
    let volumes = Set((pod["volumes"]?.elements ?? []).compactMap { $0["name"]?.string })
    #expect(volumes == Set(mounts.compactMap { $0["name"]?.string }))
    let variables = (sidecar["env"]?.elements ?? []).compactMap { $0["value"]?.string }
    let example = try DeployFile.text("deploy/examples/kubernetes.yml")
    let read = (variables.joined(separator: "\n") + example).matches(of: /\/(etc|run)\/multistore-exporter\/[\w\/.-]+/)
    #expect(read.count == 5)
    for path in read.map({ String($0.0) }) {
      #expect(folders.contains { path.hasPrefix("\($0)/") }, "\(path)")
    }
    let secret = try #require(try DeployFile.yaml("\(Self.folder)/secret.yaml").first?["stringData"]?.mapping)
    for key in secret.keys.compactMap(\.string) { #expect(example.contains("/secrets/\(key)\n"), "\(key)") }
  }

  @Test func `monitor and policy mean the Pods of the Deployment and their ports`() throws {
    let deployment = try #require(try DeployFile.yaml("\(Self.folder)/deployment.yaml").first)
    let labels = deployment[path: "spec", "template", "metadata", "labels"]
    let monitor = try #require(try DeployFile.yaml("\(Self.folder)/podmonitor.yaml").first)
    let policy = try #require(try DeployFile.yaml("\(Self.folder)/networkpolicy.yaml").first)
    #expect(monitor[path: "spec", "selector", "matchLabels"] == labels)
    #expect(policy[path: "spec", "podSelector", "matchLabels"] == labels)
    #expect(monitor[path: "spec", "podMetricsEndpoints"]?.elements.first?["port"]?.string == "metrics")
    let ports = (policy[path: "spec", "ingress"]?.elements ?? []).flatMap { $0["ports"]?.elements ?? [] }
    #expect(ports.compactMap { $0["port"]?.string } == ["http", "metrics"])
  }

  private func pod() throws -> Node {
    let deployment = try DeployFile.yaml("\(Self.folder)/deployment.yaml").first
    return try #require(deployment?[path: "spec", "template", "spec"])
  }
}
