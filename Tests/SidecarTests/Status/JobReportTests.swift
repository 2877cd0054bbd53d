import MultiStore
import Status
import Testing

@testable import Sidecar

@Suite("Jobs in reports")
struct JobReportTests {
  /// The lines of a journal about a backfill of all keys that has ended well.
  private static let lines = [
    "kind backfill", "rate 5000", "rounds 5", "findings 100", "dry_run false", "heal false", "started 1000",
    "ended 2000", "state ended.complete",
  ]

  private func backfill(_ more: String...) throws -> KeyJobProgress {
    try #require(KeyJobCheckpoint((Self.lines + more + ["end"]).joined(separator: "\n"))).progress
  }

  @Test(arguments: [StoreRole.secondary, .primary])
  func `a backfill has filled the new store if the old one was the default`(defaultStore: StoreRole) throws {
    let progress = try backfill("default \(defaultStore.label)", "void false")
    #expect(progress.isBackfilled)
    #expect(progress.hasFilledNewStore == (defaultStore == .secondary))
    #expect(try !backfill("default \(defaultStore.label)", "void true").hasFilledNewStore)
  }

  @Test(arguments: [false, true])
  func `a job says whether its result is void`(isVoid: Bool) throws {
    let job = try JobsReport.Job(backfill("default secondary", "void \(isVoid)"), of: "a", showsKeys: false)
    #expect(job.isVoid == isVoid && job.endedMilliseconds == 2_000)
    #expect(job.state == JobsReport.Job.State(word: "ended", detail: "complete"))
  }
}
