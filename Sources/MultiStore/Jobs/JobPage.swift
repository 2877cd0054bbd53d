/// A page of keys that a job works on.
final class JobPage {
  /// The most pages in work: one that the default store is asked about, one for the other store, and the next ones, so
  /// that none of them waits for the sidecar. A page takes a millisecond of a store's time.
  static let limit = 4
  /// The attempts to reach the keys of a page before they count as failed. Between two of them the stores have been
  /// ready.
  static let attempts = 5
  /// The pause after a question that was not answered, in nanoseconds.
  static let retryPause: UInt64 = 250_000_000

  /// The number that its course has given it.
  let id: Int
  let place: ScanCourse.Place
  /// The keys that were not reached yet.
  var keys: [[UInt8]]
  var attemptsMade = 0
  /// The time of the next attempt, by the loop's clock; nil while one is under way.
  var dueAt: UInt64? = 0
  /// The copies of a backfill.
  var copying: BackfillPage?

  init(_ id: Int, at place: ScanCourse.Place, _ keys: [[UInt8]]) {
    self.id = id
    self.place = place
    self.keys = keys
  }

  /// Whether the next attempt may be made.
  func isDue(now: UInt64) -> Bool { dueAt.map { $0 <= now } ?? false }
}
