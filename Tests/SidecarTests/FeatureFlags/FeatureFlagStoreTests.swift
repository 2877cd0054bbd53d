import Foundation
import MultiStore
import TestSupport
import Testing

@testable import Sidecar

@Suite("The store of feature flags")
struct FeatureFlagStoreTests {
  @Test("Without a file all flags are off, and the first change makes one")
  func firstChange() throws {
    let flags = try FlagFixture(nil)
    #expect(flags.store.features().map(\.name) == [Name.dualA, Name.defaultA, Name.dualB, Name.defaultB])
    #expect(flags.on == [])
    #expect(!FileManager.default.fileExists(atPath: flags.path))
    #expect(
      flags.log.take()
        == ["a", "b"].map { instance in
          "info: Feature flags at start: all off | instance_name=\(instance) | path=\(flags.path) | "
            + "use_primary_and_secondary_stores_for_\(instance)=false | "
            + "use_primary_store_as_default_for_\(instance)=false"
        }
    )
    try flags.store.set(Name.dualA, to: true, source: .adminAPI)
    #expect(flags.a.state == FlagState(dualWrite: true))
    #expect(flags.b.state == FlagState())
    #expect(try flags.text.hasSuffix("\n\(Name.dualA): true\n"))
    #expect(try mode(of: flags.path) == 0o640)
    #expect(
      flags.log.take() == [
        "notice: Feature flag changed | flag=\(Name.dualA) | generation=1 | instance_name=a | new=true | old=false | "
          + "source=admin_api"
      ]
    )
  }

  @Test("Flags of the file are in force from the start, and that some are on is a warning")
  func start() throws {
    let flags = try FlagFixture(
      "\(Name.dualB): true\n\(Name.defaultB): true\nuse_primary_store_as_default_for_bb: true\n"
    )
    #expect(flags.on == [Name.dualB, Name.defaultB])
    #expect(flags.store.isOn(Name.dualB) == true)
    #expect(flags.store.isOn(Name.dualA) == false)
    #expect(flags.store.isOn("nobody") == nil)
    let lines = flags.log.take()
    #expect(lines.count == 3)
    #expect(lines[0].hasPrefix("info: Feature flags at start: all off | instance_name=a"))
    #expect(lines[1].hasPrefix("warning: Feature flags at start: some are on | instance_name=b"))
    #expect(
      lines[2] == "warning: Feature flag belongs to no instance and has no effect | "
        + "flag=use_primary_store_as_default_for_bb | hint=did you mean \"\(Name.defaultB)\"?"
    )
    let statistics = flags.store.statistics
    #expect(statistics.generation == 0)
    #expect(statistics.reloads == 1)
    #expect(statistics.flags.map(\.isOn) == [false, false, true, true])
    #expect(statistics.flags.allSatisfy { $0.lastChangeSeconds == nil })
  }

  @Test("A saved file holds for the next command; saving it again costs nothing and says nothing")
  func reload() throws {
    let flags = try FlagFixture("{}\n")
    _ = flags.log.take()
    try flags.save("\(Name.dualA): true\n\(Name.defaultA): true\n")
    #expect(flags.a.state == FlagState(dualWrite: true, primaryAsDefault: true))
    let statistics = flags.store.statistics
    #expect(statistics.generation == 2)
    #expect(statistics.reloads == 2)
    #expect(statistics.flags[0].lastChangeSeconds == 1234.5)
    #expect(statistics.flags[0].source == .file)
    #expect(statistics.flags[0].name == Name.dualA)
    #expect(statistics.flags[2].lastChangeSeconds == nil)
    #expect(flags.log.take().map { $0.prefix(28) } == Array(repeating: "notice: Feature flag changed", count: 2))
    try flags.save("\(Name.dualA): true\n\(Name.defaultA): true\n")
    flags.store.reload(reason: "SIGHUP")
    #expect(flags.store.statistics == statistics)
    #expect(flags.log.take() == [])
    try flags.save("\(Name.defaultA): true\n")
    #expect(flags.on == [Name.defaultA])
  }

  @Test(
    "A file that does not parse leaves the last good flags in force, until it is mended",
    arguments: ["", "a: [", "x: on"]
  )
  func badFile(bad: String) throws {
    let flags = try FlagFixture("\(Name.dualA): true\n")
    _ = flags.log.take()
    try flags.save(bad)
    flags.store.reload(reason: "again")
    #expect(flags.on == [Name.dualA])
    var statistics = flags.store.statistics
    #expect(statistics.reloadFailures == 1)
    #expect(!statistics.lastReloadSucceeded)
    let lines = flags.log.take()
    #expect(lines.count == 1)
    #expect(lines[0].hasPrefix("error: Feature flag file is not usable; the last good flags stay in force | path="))
    #expect(throws: FeatureFlagError.self) { try flags.store.set(Name.dualB, to: true, source: .adminAPI) }
    #expect(try flags.text == bad)
    #expect(flags.on == [Name.dualA])
    try flags.save("\(Name.dualB): true\n")
    #expect(flags.on == [Name.dualB])
    statistics = flags.store.statistics
    #expect(statistics.lastReloadSucceeded)
    #expect(statistics.reloads == 2)
    #expect(flags.log.take().first?.hasPrefix("notice: Feature flag file is usable again") == true)
  }

  @Test("A sidecar does not start with a file that it cannot understand, nor without a folder for it")
  func badStart() throws {
    let folder = try TemporaryDirectory()
    let path = try folder.write("\(Name.dualA): maybe\n", to: "flags.yml")
    let problem = "line 1, column 41: \(Name.dualA): expected true or false, found \"maybe\""
    #expect(throws: FeatureFlagError.invalidFile(path: path, problem: problem)) { try FlagFixture(nil, folder: folder) }
    let lost = folder.path("nowhere/flags.yml")
    let reason = "there is no folder \(folder.path("nowhere"))"
    #expect(throws: FeatureFlagError.unreadable(path: lost, reason: reason)) { try FlagFixture(nil, path: lost) }
    #expect(throws: FeatureFlagError.unreadable(path: folder.path, reason: "Is a directory")) {
      try FlagFixture(nil, path: folder.path)
    }
  }

  @Test("A file that is gone changes nothing; the next change brings all flags back")
  func goneFile() throws {
    let flags = try FlagFixture("\(Name.dualA): true\nother: true\n")
    _ = flags.log.take()
    try FileManager.default.removeItem(atPath: flags.path)
    flags.store.reload(reason: "test")
    flags.store.reload(reason: "test")
    #expect(flags.on == [Name.dualA])
    #expect(
      flags.log.take() == [
        "warning: Feature flag file is gone; the last flags stay in force | path=\(flags.path) | reason=test"
      ]
    )
    try flags.store.set(Name.dualA, to: true, source: .adminAPI)
    #expect(try FeatureFlagFile.read(flags.path).entries.map(\.name) == ["other", Name.dualA])
    #expect(flags.store.statistics.generation == 0)
  }

  @Test("A change survives a restart and keeps what it does not concern")
  func restart() throws {
    let flags = try FlagFixture("# why: migration 12\nother: true\n\(Name.dualA): false # soon\n")
    try setMode(0o600, of: flags.path)
    try flags.store.set(Name.dualA, to: true, source: .adminAPI)
    try flags.store.set(Name.defaultB, to: true, source: .adminAPI)
    let text = "# why: migration 12\nother: true\n\(Name.dualA): true # soon\n\(Name.defaultB): true\n"
    #expect(try flags.text == text)
    #expect(try mode(of: flags.path) == 0o600)
    let restarted = try FlagFixture(nil, folder: flags.folder)
    #expect(restarted.on == [Name.dualA, Name.defaultB])
    #expect(try FileManager.default.contentsOfDirectory(atPath: flags.folder.path) == ["flags.yml"])
  }

  @Test("Our own writing is no news, and the same value is no change")
  func noNews() throws {
    let flags = try FlagFixture("{}\n")
    try flags.store.set(Name.dualA, to: true, source: .adminAPI)
    _ = flags.log.take()
    let statistics = flags.store.statistics
    let text = try flags.text
    flags.store.reload(reason: "test")
    try flags.store.set(Name.dualA, to: true, source: .adminAPI)
    try flags.store.set(Name.dualB, to: false, source: .adminAPI)
    #expect(flags.store.statistics == statistics)
    #expect(flags.log.take() == [])
    #expect(try flags.text == text)
  }

  @Test("A change is made to what somebody saved a moment ago, not over it")
  func concurrentEdit() throws {
    let flags = try FlagFixture("{}\n")
    try flags.folder.write("\(Name.dualB): true\n", to: "flags.yml")
    try flags.store.set(Name.dualA, to: true, source: .adminAPI)
    #expect(flags.on == [Name.dualA, Name.dualB])
    #expect(try flags.text == "\(Name.dualB): true\n\(Name.dualA): true\n")
    #expect(flags.store.statistics.flags.map(\.source) == [.adminAPI, .standard, .file, .standard])
  }

  @Test("It is known where a flag's value came from, and when the file was taken over last")
  func sources() throws {
    let flags = try FlagFixture("\(Name.dualA): true\n\(Name.defaultA): false\n")
    func sources() -> [FlagSource] { flags.store.statistics.flags.map(\.source) }
    #expect(sources() == [.file, .file, .standard, .standard])
    #expect(flags.store.statistics.lastReloadSeconds == 1234.5)
    try flags.store.set(Name.dualA, to: true, source: .adminAPI)
    #expect(sources() == [.file, .file, .standard, .standard], "it was so already")
    try flags.store.set(Name.defaultA, to: true, source: .adminAPI)
    try flags.store.set(Name.dualB, to: true, source: .adminAPI)
    #expect(sources() == [.file, .adminAPI, .adminAPI, .standard])
    // Somebody edits the file: what stays as it was came from where it came from.
    try flags.save("\(Name.defaultA): true\n\(Name.dualB): false\n\(Name.defaultB): false\n")
    #expect(sources() == [.standard, .adminAPI, .file, .file])
    try flags.store.remove(Name.defaultA, source: .adminAPI)
    #expect(sources() == [.standard, .standard, .file, .file])
    // A file that is no good changes nothing.
    try flags.save("\(Name.dualA): perhaps\n")
    #expect(sources() == [.standard, .standard, .file, .file])
    let restarted = try FlagFixture("\(Name.dualA): true\n", folder: flags.folder)
    #expect(restarted.store.statistics.flags.map(\.source) == [.file, .standard, .standard, .standard])
    let missing = try FlagFixture(nil)
    #expect(missing.store.statistics.flags.allSatisfy { $0.source == .standard })
    #expect(missing.store.statistics.lastReloadSeconds == nil)
  }

  @Test("Removing a flag switches it off; strangers can be removed too")
  func remove() throws {
    let flags = try FlagFixture("\(Name.dualA): true\nstranger: true\n")
    try flags.store.remove(Name.dualA, source: .adminAPI)
    #expect(flags.on == [])
    try flags.store.remove(Name.dualB, source: .adminAPI)
    try flags.store.remove("stranger", source: .adminAPI)
    #expect(try flags.text == "{}\n")
    #expect(throws: unknown("stranger")) { try flags.store.remove("stranger", source: .adminAPI) }
  }

  @Test("A flag of no instance is refused with the names there are")
  func unknownFlag() throws {
    let flags = try FlagFixture("{}\n")
    #expect(throws: unknown("use_it")) { try flags.store.set("use_it", to: true, source: .adminAPI) }
    #expect(try flags.text == "{}\n")
    #expect(
      unknown("use_it").description == "no instance has a feature flag \"use_it\"; known are "
        + [Name.dualA, Name.defaultA, Name.dualB, Name.defaultB].joined(separator: ", ")
    )
    #expect(
      unknown("use_primary_store_as_defualt_for_a").description
        == "no instance has a feature flag \"use_primary_store_as_defualt_for_a\"; did you mean \"\(Name.defaultA)\"?"
    )
  }

  @Test("Without a configured file changes are in memory, and the log says what that means")
  func inMemory() throws {
    let a = FeatureFlags(instanceName: "a", state: FlagState(primaryAsDefault: true))
    let log = LogRecorder()
    let store = try FeatureFlagStore(instances: [a], filePath: nil, logger: log.logger)
    #expect(store.watchedDirectories == [])
    #expect(a.state == FlagState(primaryAsDefault: true))
    _ = log.take()
    try store.set(Name.dualA, to: true, source: .adminAPI)
    store.reload(reason: "SIGHUP")
    #expect(a.state == FlagState(dualWrite: true, primaryAsDefault: true))
    let lines = log.take()
    #expect(lines.count == 2)
    #expect(lines[1] == "warning: Feature flags have no file and are kept in memory: they will not survive a restart")
    try store.remove(Name.defaultA, source: .adminAPI)
    #expect(a.state == FlagState(dualWrite: true))
    #expect((store.statistics.flags[1].lastChangeSeconds ?? 0) > 1_600_000_000)
    #expect(store.statistics.flags.map(\.source) == [.adminAPI, .standard])
    #expect(store.statistics.lastReloadSeconds == nil)
  }

  private func unknown(_ name: String) -> FeatureFlagError {
    .unknownFlag(name, known: [Name.dualA, Name.defaultA, Name.dualB, Name.defaultB])
  }
}
