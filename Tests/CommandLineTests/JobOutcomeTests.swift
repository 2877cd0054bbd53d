import Testing

@testable import multistore_exporter

@Suite("Outcomes of jobs")
struct JobOutcomeTests {
  @Test(
    arguments: [
      ("ended.complete", 0), ("ended.incomplete", 3), ("ended.void", 3), ("ended.cancelled", 4),
      ("ended.interrupted", 4),
      ("running", nil), ("waiting.flip", nil), ("paused.operator", nil), ("none", nil), ("", nil),
    ] as [(String, Int32?)]
  )
  func `each has its exit code, and a job that has not ended has none`(state: String, code: Int32?) {
    #expect(JobOutcome(state)?.exitCode == code)
  }
}
