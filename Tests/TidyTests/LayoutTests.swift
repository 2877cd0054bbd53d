import Foundation
import TestSupport
import Testing

@Suite("Layout")
struct LayoutTests {
  /// All that the top folder may hold.
  static let top: Set = [
    "Package.swift", "Sources", "Tests", "deploy", "dashboards", "README.md", ".ci", ".gitignore", ".swift-format",
  ]
  /// What tools leave there and git ignores.
  static let ignored = [".git", ".build", ".swiftpm", "Package.resolved"]

  @Test func `the top folder holds what it is to hold`() throws {
    let found = try FileManager.default.contentsOfDirectory(atPath: SourceTree.root.path)
    let kept = found.filter { name in !Self.ignored.contains { name == $0 || name.hasPrefix("\($0)-") } }
    #expect(Set(kept).subtracting(Self.top).isEmpty)
  }

  @Test func `every target has its folder, and every folder its target`() throws {
    let manifest = try Manifest.read()
    for folder in ["Sources", "Tests"] {
      let path = SourceTree.url(folder).path
      let found = try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder) && isFolder.boolValue
      }
      let isTest = { (target: Manifest.Target) in target.kind == "test" || Manifest.testSupport.contains(target.name) }
      let targets = manifest.targets.filter {
        !Manifest.elsewhere.contains($0.name) && isTest($0) == (folder == "Tests")
      }
      let others: Set =
        folder == "Tests" ? ["Benchmarks", "Clients", "Examples", "Faults", "Fuzz", "RedisSuite"] : []
      #expect(Set(found) == Set(targets.map(\.name)).union(others))
    }
  }

  @Test func `a script can be run and is understood by bash`() throws {
    for script in SourceTree.scripts {
      let path = SourceTree.url(script.path).path
      #expect(FileManager.default.isExecutableFile(atPath: path))
      let outcome = try ChildProcess.run("bash", ["-n", path])
      #expect(outcome.exit == .status(0), "\(outcome.errors)")
    }
  }

  @Test func `shellcheck has nothing to say about a script`() throws {
    for script in SourceTree.scripts {
      let outcome = try ChildProcess.run("shellcheck", [SourceTree.url(script.path).path])
      #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
    }
  }

  @Test func `scripts are found`() {
    let paths = SourceTree.scripts.map(\.path)
    #expect(paths.contains("Tests/run.sh"))
    #expect(paths.contains(".ci/run"))
  }
}
