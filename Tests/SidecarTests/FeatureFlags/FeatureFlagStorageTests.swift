import Foundation
import MultiStore
import TestSupport
import Testing

@testable import Sidecar

@Suite("Feature flag files on disk")
struct FeatureFlagStorageTests {
  @Test("A ConfigMap is followed through its switch of folders, and is not written to")
  func configMap() throws {
    let folder = try TemporaryDirectory()
    try version("..2026_01_01", "\(Name.dualA): false\n", in: folder)
    try link("..data", to: "..2026_01_01", in: folder)
    try link("flags.yml", to: "..data/flags.yml", in: folder)
    let flags = try FlagFixture(nil, folder: folder)
    #expect(flags.on == [])
    #expect(flags.store.watchedDirectories == [folder.path])

    // As kubelet does it: a new folder, a new link beside the old one, one rename, the old folder removed.
    try version("..2026_01_02", "\(Name.dualA): true\n", in: folder)
    try link("..data_tmp", to: "..2026_01_02", in: folder)
    #expect(rename(folder.path("..data_tmp"), folder.path("..data")) == 0)
    try FileManager.default.removeItem(atPath: folder.path("..2026_01_01"))
    flags.store.reload(reason: "switch")
    #expect(flags.on == [Name.dualA])

    let error = FeatureFlagError.readOnly(
      path: flags.path,
      reason: "\(flags.path) comes from a Kubernetes ConfigMap or Secret"
    )
    #expect(throws: error) { try flags.store.set(Name.dualB, to: true, source: .adminAPI) }
    #expect(error.description.hasSuffix("change it where it comes from, such as its ConfigMap"))
    #expect(flags.on == [Name.dualA])
    #expect(try folder.read("..data/flags.yml") == "\(Name.dualA): true\n")
  }

  @Test("In the middle of a switch the file is not there: nothing changes, and the next event finds it")
  func configMapInBetween() throws {
    let folder = try TemporaryDirectory()
    try version("..1", "\(Name.dualA): true\n", in: folder)
    try link("..data", to: "..1", in: folder)
    try link("flags.yml", to: "..data/flags.yml", in: folder)
    let flags = try FlagFixture(nil, folder: folder)
    try FileManager.default.removeItem(atPath: folder.path("..data"))
    flags.store.reload(reason: "vanished")
    #expect(flags.on == [Name.dualA])
    #expect(flags.store.statistics.lastReloadSucceeded)
    try version("..2", "\(Name.dualB): true\n", in: folder)
    try link("..data", to: "..2", in: folder)
    flags.store.reload(reason: "back")
    #expect(flags.on == [Name.dualB])
  }

  @Test("A plain link stays, and the file behind it is replaced")
  func plainLink() throws {
    let folder = try TemporaryDirectory()
    let behind = try TemporaryDirectory()
    try behind.write("{}\n", to: "real.yml")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("flags.yml"),
      withDestinationPath: behind.path("real.yml")
    )
    let flags = try FlagFixture(nil, folder: folder)
    #expect(flags.store.watchedDirectories == [folder.path, behind.path])
    try flags.store.set(Name.dualA, to: true, source: .adminAPI)
    #expect(try behind.read("real.yml").hasSuffix("\(Name.dualA): true\n"))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: flags.path) == behind.path("real.yml"))
    try FileManager.default.removeItem(atPath: behind.path("real.yml"))
    let dangling = FeatureFlagError.writeFailed(
      path: flags.path,
      reason: "\(flags.path) is a symbolic link that leads nowhere"
    )
    #expect(throws: dangling) { try flags.store.set(Name.dualB, to: true, source: .adminAPI) }
    #expect(flags.on == [Name.dualA])
  }

  @Test("Where the system lets nobody write, the change is refused and does not hold")
  func readOnlyFolder() throws {
    // Nobody, root included, can make a file there.
    let flags = try FlagFixture(nil, path: "/proc/self/task/flags.yml")
    #expect(throws: FeatureFlagError.self) { try flags.store.set(Name.dualA, to: true, source: .adminAPI) }
    #expect(flags.on == [])
    #expect(flags.store.statistics.generation == 0)
  }

  @Test("What a crash left in the middle of writing is not read, and is cleaned up")
  func leftover() throws {
    let folder = try TemporaryDirectory()
    try folder.write("\(Name.dualA): true\n", to: "flags.yml")
    let leftover = try folder.write("\(Name.dualB): tr", to: ".flags.yml.multistore-tmp")
    let flags = try FlagFixture(nil, folder: folder)
    #expect(flags.on == [Name.dualA])
    #expect(!FileManager.default.fileExists(atPath: leftover))
    try folder.write("garbage", to: ".flags.yml.multistore-tmp")
    try flags.store.set(Name.dualB, to: true, source: .adminAPI)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["flags.yml"])
    #expect(try flags.text == "\(Name.dualA): true\n\(Name.dualB): true\n")
  }

  @Test("A reader sees whole files only, while several threads change flags")
  func concurrency() async throws {
    let flags = try FlagFixture("{}\n")
    let changes = 50
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in [Name.dualA, Name.defaultA, Name.dualB, Name.defaultB] {
        group.addTask {
          for round in 1...changes { try flags.store.set(name, to: !round.isMultiple(of: 2), source: .adminAPI) }
          try flags.store.set(name, to: true, source: .adminAPI)
        }
      }
      group.addTask {
        for _ in 0..<changes {
          flags.store.reload(reason: "thread")
          _ = try FeatureFlagFile.read(flags.path)
          #expect(flags.store.statistics.flags.count == 4)
        }
      }
      try await group.waitForAll()
    }
    #expect(flags.on.count == 4)
    #expect(try FeatureFlagFile.read(flags.path).entries.map(\.isOn) == [true, true, true, true])
    let statistics = flags.store.statistics
    #expect(statistics.generation == UInt64(4 * (changes + 1)))
    #expect(statistics.reloadFailures == 0)
    #expect(flags.log.take().count { $0.hasPrefix("notice: Feature flag changed") } == 4 * (changes + 1))
  }

  private func version(_ name: String, _ text: String, in folder: TemporaryDirectory) throws {
    try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: false)
    try folder.write(text, to: "\(name)/flags.yml")
  }

  private func link(_ name: String, to target: String, in folder: TemporaryDirectory) throws {
    try FileManager.default.createSymbolicLink(atPath: folder.path(name), withDestinationPath: target)
  }
}
