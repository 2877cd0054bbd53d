import Foundation
import TestSupport
import Testing
import Yams

@Suite("Vector")
struct VectorTests {
  private static let file = "deploy/logging/vector/vector.yaml"

  @Test func `Vector's own VRL makes of real lines what is shipped and counted`() throws {
    let sidecar = try EventfulSidecar(in: TemporaryDirectory())
    try sidecar.makeEvents()
    #expect(try sidecar.process.terminate() == .status(0))
    let outcome = try PythonTools.run(
      script: "vector_events.py",
      [DeployFile.path(Self.file), sidecar.logFile]
    )
    #expect(outcome.exit == .status(0), "\(outcome.errors)")
    #expect(try EventCounts(listing: outcome.output) == sidecar.told())
  }

  @Test func `each part gets its input from another, and the counter's fields are those that the VRL sets`() throws {
    let configuration = try #require(try DeployFile.yaml(Self.file).first)
    let sources = names(configuration["sources"])
    let transforms = names(configuration["transforms"])
    #expect(sources == ["multistore_file"])
    for kind in ["transforms", "sinks"] {
      for (name, part) in configuration[kind]?.mapping ?? [:] {
        let inputs = part["inputs"]?.elements.compactMap(\.string) ?? []
        #expect(!inputs.isEmpty, "\(name)")
        #expect(Set(inputs).isSubset(of: sources.union(transforms)), "\(name): \(inputs)")
      }
    }
    let metric = try #require(configuration[path: "transforms", "multistore_counted", "metrics"]?.elements.first)
    let program = configuration[path: "transforms", "multistore_events", "source"]?.string ?? ""
    let field = try #require(metric["field"]?.string)
    let tags = metric["tags"]?.mapping?.values.compactMap { $0.string?.trimmingCharacters(in: ["{", "}", " "]) } ?? []
    #expect(metric["increment_by_value"]?.bool == true)
    #expect(metric["name"]?.string == "multistore_log_events_total")
    #expect(tags == ["class", "instance_name"])
    for name in [field] + tags { #expect(program.contains("\n.\(name) = "), "\(name)") }
  }

  private func names(_ node: Node?) -> Set<String> { Set(node?.mapping?.keys.compactMap(\.string) ?? []) }
}
