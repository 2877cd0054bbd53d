import TestSupport
import Testing

@testable import Status

@Suite("Report of jobs")
struct JobsReportTests {
  /// A job that has ended well, but for what `change` does.
  private func report(_ kind: String, _ change: (inout JobsReport.Job) -> Void = { _ in }) -> JobsReport {
    var job = JobsReport.Job(
      instance: "sessions",
      kind: kind,
      state: JobsReport.Job.State(word: "ended", detail: "complete"),
      defaultStore: "secondary",
      startedMilliseconds: 1_000,
      rate: 5_000,
      effectiveRate: 5_000,
      scannedKeys: 3_001,
      copiedBytes: 0
    )
    job.counts = [JobsReport.Count(result: kind == "verify" ? "equal" : "copied", keys: 3_001)]
    job.endedMilliseconds = 2_000
    change(&job)
    return JobsReport(takenMilliseconds: 3_000, jobs: [job])
  }

  /// Whether the report for a terminal and the line for a program that waits end with these words.
  private func says(_ words: String, _ kind: String, _ change: (inout JobsReport.Job) -> Void = { _ in }) -> Bool {
    let shown = report(kind, change)
    return shown.text.contains("  state    \(words)\n") && shown.line.hasSuffix(", \(words)\n")
  }

  @Test func `a good end is about all keys, or about those that match`() {
    #expect(says("ended: the stores are equal", "verify"))
    #expect(says("ended: all keys are there", "backfill"))
    #expect(says("ended: the stores are equal in the keys that match", "verify") { $0.type = "hash" })
    #expect(says("ended: all keys that match are there", "backfill") { $0.pattern = "a*" })
  }

  @Test func `before the first page the keys are being counted`() {
    let report = report("backfill") { job in
      (job.state, job.endedMilliseconds) = (JobsReport.Job.State(word: "running", detail: nil), nil)
      (job.scannedKeys, job.counts) = (0, [])
    }
    #expect(report.line == "running\ncounting keys\n")
  }

  @Test func `a dry run says how many keys would be copied`() {
    #expect(says("ended: 3,001 keys would be copied", "backfill") { $0.isDryRun = true })
    #expect(
      says("ended: 1 key would be copied", "backfill") { job in
        job.isDryRun = true
        job.counts[0].keys = 1
      }
    )
    #expect(
      says("ended: 3,001 keys of those that match would be copied", "backfill") {
        ($0.isDryRun, $0.pattern) = (true, "a*")
      }
    )
  }

  @Test func `a good end that is void is none, and any other stays as it is`() throws {
    let reason = "but a store was restarted, replaced or emptied since"
    let equal = "ended: the stores were equal, but keys may differ since: verify again"
    #expect(says(equal, "verify") { $0.isVoid = true })
    #expect(says("ended: all keys were there, \(reason): start it again", "backfill") { $0.isVoid = true })
    #expect(
      says("ended: all keys that match were there, \(reason): start it again", "backfill") {
        ($0.isVoid, $0.type) = (true, "hash")
      }
    )
    #expect(report("verify").line.hasPrefix("ended.complete\n"))
    let void = report("verify") { $0.isVoid = true }
    #expect(void.line.hasPrefix("ended.void\n"))
    let failed = report("backfill") { job in
      job.isVoid = true
      job.state.detail = "incomplete"
    }
    #expect(failed.line.hasPrefix("ended.incomplete\n") && failed.text.contains("ended with failures"))
    for shown in [void, report("verify")] {
      let job = try #require(try JSONValue(parsing: shown.json)["jobs"]?.elements?.first)
      #expect(job["detail"] == .string("complete") && job["void"]?.bool == shown.jobs[0].isVoid)
    }
  }
}
