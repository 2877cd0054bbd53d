import Foundation
import InMemoryLogging
import Logging
import MultiStore
import TestSupport
import Testing

/// The journal as an instance uses it, with real files.
@Suite("Journal of stale keys")
struct StalenessJournalTests {
  private let directory: TemporaryDirectory
  private let handler = InMemoryLogHandler()

  init() throws {
    // Each change is written through to the disk.
    directory = try TemporaryDirectory(in: "/dev/shm")
  }

  private var folder: String { directory.path("state") }
  private var file: String { "\(folder)/sessions.stale" }

  private func open(
    _ instance: String = "sessions",
    in folder: String? = nil
  ) -> (snapshot: StalenessSnapshot, journal: StalenessJournal) {
    StalenessJournal.open(
      instance: instance,
      stores: [.primary: "new/0", .secondary: "old/0"],
      in: folder ?? self.folder,
      logger: Logger(label: "test") { [handler] _ in handler }
    )
  }

  private func marked(_ name: String, since: Int64 = 0) -> StalenessChange {
    .marked(.primary, StaleKey(key: Array(name.utf8), database: 0, sinceMilliseconds: since, reason: .timeout))
  }

  private func close(_ journal: StalenessJournal) { #expect(journal.close(deadline: waitLimit)) }

  private func messages(_ level: Logger.Level) -> [String] {
    handler.entries.filter { $0.level == level }.map { "\($0.message)" }
  }

  /// One process that changes something and stops cleanly.
  private func run(_ changes: [StalenessChange]) {
    let (_, journal) = open()
    for change in changes + [.stopped] { journal.append(change) }
    close(journal)
  }

  private func names(_ snapshot: StalenessSnapshot) -> [String] {
    snapshot.staleKeys[.primary, default: []].map { String(decoding: $0.key, as: UTF8.self) }
  }

  @Test func `the next process knows what was stale, for this user alone`() throws {
    let (nothing, first) = open()
    #expect(nothing == StalenessSnapshot())
    first.append(.routing(defaultStore: .secondary, isWatchful: false))
    close(first)
    run([.routing(defaultStore: .secondary, isWatchful: true), marked("b", since: 2), marked("a", since: 1)])
    let (snapshot, journal) = open()
    #expect(names(snapshot) == ["a", "b"])
    #expect(snapshot.isWatchful && snapshot.wasStopped && !snapshot.isDamaged && snapshot.defaultStore == .secondary)
    #expect(journal.statistics.isUsable && journal.statistics.writeFailures == 0)
    close(journal)
    let manager = FileManager.default
    #expect(try manager.attributesOfItem(atPath: folder)[.posixPermissions] as? Int == 0o700)
    #expect(try manager.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
    #expect(try manager.contentsOfDirectory(atPath: folder) == ["sessions.stale"])
    #expect(messages(.error) == [])
  }

  @Test func `a process that does not say that it stopped did not stop cleanly`() {
    run([.routing(defaultStore: .secondary, isWatchful: true), marked("a")])
    // It is killed before it changes anything.
    close(open().journal)
    let (snapshot, journal) = open()
    #expect(!snapshot.wasStopped && snapshot.isWatchful && names(snapshot) == ["a"])
    close(journal)
  }

  @Test(arguments: ["../other", "a/b", ".", "..", "A%2F", "ü", "sessions.stale"])
  func `no name of an instance leads out of the folder`(instance: String) throws {
    let (_, journal) = open(instance)
    journal.append(marked(instance))
    close(journal)
    let found = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(found.count == 1 && found[0].hasSuffix(".stale") && found[0].count > ".stale".count)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["state"])
    #expect(names(open(instance).snapshot) == [instance])
  }

  @Test func `a record that was cut off is left out quietly`() throws {
    run([.routing(defaultStore: .secondary, isWatchful: true), marked("a"), marked("b")])
    try truncate(by: 1)
    let (snapshot, journal) = open()
    #expect(names(snapshot).sorted() == ["a", "b"] && !snapshot.wasStopped && !snapshot.isDamaged)
    #expect(messages(.error) == [])
    close(journal)
  }

  @Test(arguments: [true, false])
  func `a damaged file is put aside, and a few of them are kept`(isLaterVersion: Bool) throws {
    for second in 1...5 { try write([1], to: "\(file).damaged-\(second)") }
    run([marked("a")])
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
    if isLaterVersion { bytes = Array("multistore stale keys 2\n".utf8) } else { bytes[30] ^= 1 }
    try write(bytes, to: file)
    let (snapshot, journal) = open()
    var expected = StalenessSnapshot()
    expected.isDamaged = true
    #expect(snapshot == expected)
    #expect(journal.statistics.isUsable)
    let message = "The file of stale keys can't be read: the store that is not the default is not trusted"
    #expect(messages(.error) == [message])
    let aside = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(".damaged-") }.sorted()
    #expect(aside.count == 3 && Set(aside).isSuperset(of: ["4", "5"].map { "sessions.stale.damaged-\($0)" }))
    let newest = try #require(handler.entries.last?.metadata["put_aside"].map { "\($0)" })
    #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: newest))) == bytes)
    // It is killed before the instance has said that no store is trusted.
    close(journal)
    #expect(open().snapshot.trust.values.map(\.loss) == [.stateDamaged, .stateDamaged])
  }

  @Test func `a file that belongs to no instance is said`() throws {
    close(open("renamed").journal)
    close(open().journal)
    let logger = Logger(label: "test") { [handler] _ in handler }
    StalenessJournal.reportUnusedFiles(in: folder, instances: ["sessions", "new name"], logger: logger)
    #expect(messages(.warning) == ["A file of stale keys belongs to no instance: what it knows is not used"])
    #expect(handler.entries.last?.metadata["state_file"] == "\(folder)/renamed.stale")
  }

  @Test func `a second process goes on in memory and leaves the file alone`() throws {
    let (_, first) = open()
    first.append(marked("a"))
    let (snapshot, second) = open()
    #expect(snapshot == StalenessSnapshot())
    #expect(!second.statistics.isUsable && second.statistics.writeFailures == 1)
    #expect(messages(.error) == ["Stale keys are kept in memory only: a restart forgets them"])
    #expect(handler.entries.last?.metadata["reason"].map { "\($0)" } == "another process uses \(file)")
    second.append(marked("b"))
    second.append(.stopped)
    close(second)
    first.append(.stopped)
    close(first)
    #expect(names(open().snapshot) == ["a"])
  }

  /// As where the folder belongs to another user for a while: there may be a file.
  @Test func `a file that can't be looked for counts as damaged, and is not lost when it can be`() throws {
    run([.routing(defaultStore: .secondary, isWatchful: true), marked("a")])
    let contents = try Data(contentsOf: URL(fileURLWithPath: file))
    let manager = FileManager.default
    try manager.moveItem(atPath: folder, toPath: directory.path("there"))
    // Following it does not end.
    try manager.createSymbolicLink(atPath: folder, withDestinationPath: folder)
    let (snapshot, journal) = open()
    #expect(snapshot.isDamaged && !journal.statistics.isUsable)
    try manager.removeItem(atPath: folder)
    try manager.moveItem(atPath: directory.path("there"), toPath: folder)
    for change in [marked("b"), .stopped] { journal.append(change) }
    close(journal)
    #expect(journal.statistics.isUsable)
    let aside = try manager.contentsOfDirectory(atPath: folder).filter { $0.contains(".damaged-") }
    #expect(aside.count == 1)
    #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(aside.first ?? "")")) == contents)
    #expect(names(open().snapshot) == ["b"])
  }

  @Test
  func `a folder that can't be made is said once, and known stale keys are not lost by one that can't be written`()
    throws
  {
    try directory.write("", to: "file")
    let (snapshot, journal) = open(in: directory.path("file/state"))
    #expect(snapshot == StalenessSnapshot() && !journal.statistics.isUsable)
    for name in ["a", "b", "c"] { journal.append(marked(name)) }
    close(journal)
    #expect(journal.statistics.writeFailures == 1)
    #expect(messages(.error) == ["Stale keys are kept in memory only: a restart forgets them"])
  }

  @Test func `a folder that can't be made at the start is written, without a restart, once it can be`() throws {
    try directory.write("", to: "state")
    let (_, journal) = open()
    #expect(!journal.statistics.isUsable)
    journal.append(marked("a"))
    try FileManager.default.removeItem(atPath: folder)
    // Before the pause is over the last change is tried at once.
    journal.append(.stopped)
    close(journal)
    #expect(journal.statistics.isUsable && names(open().snapshot) == ["a"])
    #expect(messages(.notice) == ["Stale keys are kept again"])
  }

  @Test func `a file whose folder is gone is written anew with all that is live once there is a folder again`() throws {
    let (_, journal) = open()
    journal.append(marked("a"))
    try eventually("it is written") { journal.statistics.fileBytes > 60 }
    try FileManager.default.removeItem(atPath: folder)
    try directory.write("", to: "state")
    let large = String(repeating: "b", count: 50_000)
    try eventually("the rewrite fails") {
      let bytes = journal.statistics.fileBytes
      journal.append(marked(large))
      journal.append(.cleared(.primary, database: 0, key: Array(large.utf8)))
      // The queue has a limit too, which a slow disk would reach.
      try eventually("they are written") { journal.statistics.fileBytes != bytes || !journal.statistics.isUsable }
      return !journal.statistics.isUsable
    }
    #expect(messages(.error).count == 1)
    try FileManager.default.removeItem(atPath: folder)
    journal.append(marked("c", since: 1))
    // Before the pause is over the last change is tried at once.
    journal.append(.stopped)
    close(journal)
    #expect(journal.statistics.isUsable && journal.statistics.droppedChanges == 0)
    #expect(messages(.notice) == ["Stale keys are kept again"])
    let (snapshot, next) = open()
    #expect(names(snapshot).sorted() == ["a", "c"] && snapshot.wasStopped)
    close(next)
  }

  @Test func `the file stays within its bound`() throws {
    let (_, journal) = open()
    let large = String(repeating: "k", count: 50_000)
    var most = 0
    for round in 0..<300 {
      let bytes = journal.statistics.fileBytes
      journal.append(marked("\(large)\(round % 2)"))
      journal.append(.cleared(.primary, database: 0, key: Array("\(large)\(round % 2)".utf8)))
      try eventually("they are written") { journal.statistics.fileBytes != bytes }
      most = max(most, journal.statistics.fileBytes)
    }
    close(journal)
    #expect((900_000...(1 << 20) + 400_000).contains(most), "\(most) bytes")
    #expect(journal.statistics.droppedChanges == 0)
  }

  private func truncate(by count: Int) throws {
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
    try handle.truncate(atOffset: try handle.seekToEnd() - UInt64(count))
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }
}
