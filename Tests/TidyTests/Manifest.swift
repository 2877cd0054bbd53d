import Foundation
import TestSupport

/// What `Package.swift` says, as SwiftPM understands it.
struct Manifest {
  /// A target and what it depends on.
  struct Target {
    let name: String
    /// `regular`, `executable`, `test` or `system`.
    let kind: String
    /// Targets of this package.
    let targets: [String]
    /// Products of other packages.
    let products: [String]
  }

  /// Targets below `Tests` that tests use and that are none.
  static let testSupport: Set = ["TestSupport", "HTTPTestSupport"]

  /// Targets in folders of other names: an embedding server's code below `Tests/Examples`, and what is in `Tests/Fuzz`
  /// and `Tests/Faults`.
  static let elsewhere: Set = [
    "MultiStoreExample", "FuzzChecks", "FuzzInput", "FuzzSession", "FaultLaboratory", "FaultTable",
  ]

  let targets: [Target]

  /// Asks SwiftPM, in a build folder of its own: the one in use is locked by the running `swift test`.
  static func read() throws -> Manifest {
    let folder = try TemporaryDirectory()
    let arguments = ["package", "--package-path", SourceTree.root.path, "--scratch-path", folder.path, "dump-package"]
    let outcome = try ChildProcess.run("swift", arguments, within: .seconds(120))
    guard outcome.exit == .status(0) else {
      throw TestSupportError(.process, "swift package dump-package: \(outcome.exit)\n\(outcome.errors)")
    }
    let json = try JSONValue(parsing: outcome.output)
    return Manifest(targets: (json["targets"]?.elements ?? []).map(target))
  }

  private static func target(_ json: JSONValue) -> Target {
    let dependencies = json["dependencies"]?.elements ?? []
    let names = { (kind: String) in dependencies.compactMap { $0[kind]?.elements?.first?.string } }
    return Target(
      name: json["name"]?.string ?? "",
      kind: json["type"]?.string ?? "",
      targets: names("byName") + names("target"),
      products: names("product")
    )
  }
}
