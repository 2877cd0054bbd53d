@testable import MultiStore

/// Changes of every kind, for tests of journals.
enum JournalFixtures {
  static let records: [JournalRecord] = [
    .stores([.primary: "10.0.0.1:6379/0", .secondary: "unix:/run/redis.sock/15"]),
    .change(.routing(defaultStore: .secondary, isWatchful: false)),
    .change(.routing(defaultStore: .primary, isWatchful: true)),
    .change(.marked(.primary, key("a", since: 1))),
    .change(.marked(.secondary, key("", database: 15, since: .max, .defaultUnknown))),
    .change(.marked(.primary, StaleKey(key: Array(0...255), database: 3, sinceMilliseconds: 3, reason: .timeout))),
    .change(.cleared(.primary, database: 0, key: Array("a".utf8))),
    .change(.clearedAll(.secondary, database: 15)),
    .change(.trust(.primary, .lost(.anotherProcess, sinceMilliseconds: 1_700_000_000_000))),
    .change(.trust(.secondary, .trusted)),
    .change(.identified(.primary, runID: "d3c1a7")),
    .change(.job(checkpoint)),
    .change(.verified(sinceMilliseconds: 1_700_000_000_001)),
    .gap,
    .change(.stopped),
  ]

  private static let checkpoint = KeyJobCheckpoint(
    progress: KeyJobProgress(KeyJobRequest(.backfill), defaultStore: .secondary, now: 1),
    position: ScanCourse.Position(place: ScanCourse.Place(database: 0, role: .secondary), cursor: Array("17".utf8)),
    runIDs: [.secondary: "d3c1a7"]
  )

  static func key(
    _ name: String,
    database: Int = 0,
    since: Int64 = 0,
    _ reason: StaleReason = .unavailable
  ) -> StaleKey {
    StaleKey(key: Array(name.utf8), database: database, sinceMilliseconds: since, reason: reason)
  }

  static func marked(_ name: String, since: Int64 = 0, _ reason: StaleReason = .unavailable) -> StalenessChange {
    .marked(.primary, key(name, since: since, reason))
  }

  /// The file that some records make.
  static func file(_ records: [JournalRecord]) -> [UInt8] {
    records.reduce(into: JournalFormat.header) { JournalFormat.append($1, to: &$0) }
  }

  /// The state after some records.
  static func state(_ records: [JournalRecord]) -> JournalState {
    records.reduce(into: JournalState()) { $0.apply($1) }
  }

  /// The file that a state is rewritten to.
  static func rewritten(_ state: JournalState) -> [UInt8] {
    var records: [JournalRecord] = []
    state.forEachRecord { records.append($0) }
    return file(records)
  }
}
