import TestSupport
import Testing

@Suite("Directions of import")
struct ImportTests {
  @Test func `a source imports only what its target may`() throws {
    for file in SourceTree.librarySources {
      let rules = try #require(ImportRules.byTarget[file.target], "the target \(file.target) has no rules yet")
      let allowed = rules.own.union(rules.packages).union(rules.system)
      for line in file.codeLines {
        guard let found = ImportLine(line) else { continue }
        #expect(allowed.contains(found.module), "\(file.path): \(line), which \(file.target) may not")
      }
    }
  }

  @Test func `a C library is imported by one target and its tests, and internally`() {
    for file in SourceTree.swiftFiles {
      for line in file.codeLines {
        guard let found = ImportLine(line), let importer = ImportRules.cModules[found.module] else { continue }
        let isImporter = ["Sources/\(importer)/", "Tests/\(importer)Tests/"].contains { file.path.hasPrefix($0) }
        #expect(isImporter, "\(file.path) imports \(found.module)")
        #expect(found.access == "internal", "\(file.path): \(line)")
      }
    }
  }

  @Test func `the tests' own tools know nothing of the product`() {
    for file in SourceTree.swiftFiles where file.target == "TestSupport" {
      for line in file.codeLines {
        guard let found = ImportLine(line) else { continue }
        #expect(ImportRules.byTarget[found.module] == nil, "\(file.path) imports \(found.module)")
      }
    }
  }

  @Test func `the manifest says the same as the rules`() throws {
    let manifest = try Manifest.read()
    let libraries = manifest.targets.filter { ["regular", "executable"].contains($0.kind) }
      .filter { !Manifest.testSupport.contains($0.name) && !Manifest.elsewhere.contains($0.name) }
    #expect(Set(libraries.map(\.name)) == Set(ImportRules.byTarget.keys))
    for target in libraries {
      let rules = try #require(ImportRules.byTarget[target.name])
      let products = target.products.flatMap { ImportRules.modulesOfProduct[$0] ?? [$0] }
      #expect(Set(target.targets) == rules.own, "own modules of \(target.name)")
      #expect(Set(products) == rules.packages, "modules of other packages of \(target.name)")
    }
    #expect(Set(manifest.targets.filter { $0.kind == "system" }.map(\.name)) == Set(ImportRules.cModules.keys))
  }

  @Test(arguments: [
    ("import A", nil, "A"), ("internal import CUV", "internal", "CUV"), ("@testable import Hiredis", nil, "Hiredis"),
    ("  @_spi(X) public import struct B.C", "public", "B"), ("@preconcurrency private import D // why", "private", "D"),
  ])
  func `import lines are understood`(line: String, access: String?, module: String) throws {
    let found = try #require(ImportLine(line[...]))
    #expect(found.access == access)
    #expect(found.module == module)
  }

  @Test(arguments: ["let important = 1", "// import A", "importer.run()"])
  func `other lines are not`(line: String) {
    #expect(ImportLine(line[...]) == nil)
  }
}
