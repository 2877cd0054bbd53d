import TestSupport
import Testing

@Suite("Backfill and verification from the command line")
struct JobCommandTests {
  private func run(_ deployment: Deployment, _ arguments: [String]) throws -> ProcessOutcome {
    try SidecarProcess.run(arguments + ["--instance=sessions", deployment.adminOption])
  }

  @Test func `keys are copied and proved equal, and what was changed behind the sidecar is mended`() throws {
    let deployment = try Deployment(.dual)
    let old = try deployment.secondary.client()
    for first in stride(from: 0, to: 3_000, by: 500) {
      _ = try old.pipeline((first..<first + 500).map { ["SET", "k\($0)", "v", "EX", "1000"] })
    }
    try old.command("RPUSH", "a secret", "a", "b")
    let dry = try run(deployment, ["backfill", "start", "--dry-run", "--wait", "--rate=100000"])
    #expect(dry.exit == .status(0) && dry.output.contains(/copied +3,001/), "\(dry)")
    #expect(dry.output.contains("ended: 3,001 keys would be copied"), "\(dry)")
    let backfill = try run(deployment, ["backfill", "start", "--wait", "--rate=100000"])
    #expect(backfill.exit == .status(0) && backfill.output.contains("ended: all keys are there"), "\(backfill)")
    let new = try deployment.primary.client()
    #expect(try new.command("DBSIZE") == .integer(3_001))
    try deployment.waitForMetric("multistore_job_keys_total", ["kind": "backfill", "result": "copied"], 6_002)

    try new.command("SET", "k7", "other")
    try new.command("RPUSH", "a secret", "c")
    let found = try run(deployment, ["verify", "start", "--wait", "--rate=100000"])
    #expect(found.exit == .status(3) && found.output.contains(/value +2/), "\(found)")
    #expect(!found.output.contains("a secret"))
    let report = try run(deployment, ["verify", "report", "--show-keys", "--format=json"])
    #expect(report.exit == .status(3))
    let job = try #require(try JSONValue(parsing: report.output)["jobs"]?.elements?.first)
    #expect(Set(job["keys"]?.elements?.compactMap { $0["key"]?.string } ?? []) == ["k7", "a secret"])
    #expect(job["keys_by_result"]?["value"] == .number(2) && job["default_store"] == .string("secondary"))
    try deployment.waitForMetric("multistore_verification_unhealed_differences", [:], 2)
    #expect(try deployment.criterion("verified")?["result"] == .string("not_met"))

    let healed = try run(deployment, ["verify", "start", "--heal", "--wait", "--rate=100000"])
    #expect(healed.exit == .status(0) && healed.output.contains(/healed +2/), "\(healed)")
    #expect(try new.command("GET", "k7") == .text("v"))
    #expect(try run(deployment, ["verify", "report"]).exit == .status(0))
    try eventually("the criteria are met") {
      try deployment.criterion("verified")?["result"] == .string("met")
        && deployment.criterion("backfilled")?["result"] == .string("met")
    }
    let page = try deployment.sidecar.get("/status").text
    #expect(page.contains("Backfill and verification") && page.contains("<progress"))
  }

  /// It copies to the old store, and shows nothing about the new one.
  @Test func `a backfill while the new store is the default does not meet the criterion`() throws {
    let deployment = try Deployment(.dualPrimary)
    _ = try deployment.primary.client().pipeline((0..<100).map { ["SET", "k\($0)", "v"] })
    let back = try run(deployment, ["backfill", "start", "--wait", "--rate=100000"])
    #expect(back.exit == .status(0) && back.output.contains("ended: all keys are there"), "\(back)")
    #expect(try deployment.secondary.client().command("DBSIZE") == .integer(100))
    #expect(try deployment.criterion("backfilled") == nil)
    #expect(try deployment.criterion("warm_up") != nil)
    try deployment.sidecar.setFlag(Deployment.defaultFlag, false)
    let forth = try run(deployment, ["backfill", "start", "--wait", "--rate=100000"])
    #expect(forth.exit == .status(0) && forth.output.contains("ended: all keys are there"), "\(forth)")
    try eventually("the criterion is met") { try deployment.criterion("backfilled")?["result"] == .string("met") }
  }

  @Test func `results are void after a store was replaced`() throws {
    let deployment = try Deployment(.dual)
    _ = try deployment.secondary.client().pipeline((0..<100).map { ["SET", "k\($0)", "v"] })
    for job in ["backfill", "verify"] {
      #expect(try run(deployment, [job, "start", "--wait", "--rate=100000"]).exit == .status(0))
    }
    let good = try run(deployment, ["verify", "report"])
    #expect(good.exit == .status(0) && good.output.contains("ended: the stores are equal\n"), "\(good)")
    try deployment.primary.restart()
    try eventually("the report says so") { try run(deployment, ["verify", "report"]).exit == .status(3) }
    let report = try run(deployment, ["verify", "report"]).output
    #expect(report.contains("ended: the stores were equal, but keys may differ since: verify again\n"), "\(report)")
    let backfill = try run(deployment, ["backfill", "status"])
    #expect(backfill.exit == .status(0), "\(backfill)")
    let reason = "but a store was restarted, replaced or emptied since: start it again"
    #expect(backfill.output.contains("ended: all keys were there, \(reason)\n"), "\(backfill)")
    let json = try run(deployment, ["backfill", "status", "--format=json"]).output
    #expect(try JSONValue(parsing: json)["jobs"]?.elements?.map { $0["void"] } == [.bool(true)])
  }

  @Test func `jobs are paused, resumed, slowed down and cancelled`() throws {
    let deployment = try Deployment(.dual)
    let old = try deployment.secondary.client()
    _ = try old.pipeline((0..<300).map { ["SET", "k\($0)", "v"] })
    #expect(try run(deployment, ["backfill", "start", "--rate=1"]).output.hasPrefix("Started."))
    let second = try run(deployment, ["verify", "start"])
    #expect(second.exit == .status(1) && second.errors.contains("the job backfill has not ended"), "\(second)")
    #expect(try run(deployment, ["backfill", "pause"]).exit == .status(0))
    #expect(try run(deployment, ["backfill", "pause"]).errors.contains("paused already"))
    #expect(try run(deployment, ["backfill", "status"]).output.contains("paused"))
    #expect(try run(deployment, ["backfill", "rate", "100000"]).output.contains("at most 100000 keys"))
    #expect(try run(deployment, ["backfill", "resume"]).exit == .status(0))
    try eventually("it has ended") {
      try run(deployment, ["backfill", "status"]).output.contains("all keys are there")
    }
    #expect(try deployment.primary.client().command("DBSIZE") == .integer(300))
    #expect(try run(deployment, ["backfill", "cancel"]).exit == .status(1))
    #expect(try run(deployment, ["verify", "start", "--rate=1"]).exit == .status(0))
    #expect(try run(deployment, ["verify", "cancel"]).exit == .status(0))
    #expect(try run(deployment, ["verify", "report"]).exit == .status(4))
  }

  private func post(_ deployment: Deployment, _ path: String, _ form: KeyValuePairs<String, String>) throws {
    let response = try deployment.sidecar.admin("POST", "/api/v4/jobs\(path)", form: form)
    guard (200..<300).contains(response.status) else { throw TestSupportError(.process, response.text) }
  }

  /// A flag is applied by the next command, or within a quarter of a second, and a job is such a command.
  @Test(arguments: [false, true])
  func `a job that is asked for right after a move has the new direction`(isResumed: Bool) throws {
    let deployment = try Deployment(.dualPrimary)
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    _ = try old.pipeline((0..<500).map { ["SET", "k\($0)", "v"] })
    for _ in 0..<3 {
      try new.command("FLUSHALL")
      try deployment.sidecar.setFlag(Deployment.defaultFlag, false)
      let job: KeyValuePairs = ["instance": "sessions", "job": "backfill", "rate": isResumed ? "1" : "100000"]
      try post(deployment, "", job)
      if isResumed {
        try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
        try eventually("the move pauses it") { try run(deployment, ["backfill", "status"]).output.contains("paused") }
        try post(deployment, "/rate", ["instance": "sessions", "job": "backfill", "value": "100000"])
        try deployment.sidecar.setFlag(Deployment.defaultFlag, false)
        try post(deployment, "/resume", ["instance": "sessions", "job": "backfill"])
      }
      try eventually("it has ended") { try run(deployment, ["backfill", "status"]).output.contains("ended") }
      #expect(try new.command("DBSIZE") == .integer(500))
      try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    }
  }

  @Test func `what can't be done is refused with the reason`() throws {
    let deployment = try Deployment()
    let off = try run(deployment, ["backfill", "start", "--wait"])
    #expect(off.exit == .status(1) && off.errors.contains("dual write is off"), "\(off)")
    for (arguments, reason) in [
      (["backfill", "start", "--rate=0"], "rate has to be a whole number from 1 to 1000000"),
      (["verify", "start", "--type=module"], "type has to be one of string"),
      (["verify", "start", "--rounds=1"], "rounds has to be a whole number from 2 to 100"),
      (["backfill", "rate", "many"], "value has to be"),
    ] {
      let outcome = try run(deployment, arguments)
      #expect(outcome.exit == .status(1) && outcome.errors.contains(reason), "\(outcome)")
    }
    let unknown = try SidecarProcess.run(["verify", "start", "--instance=nobody", deployment.adminOption])
    #expect(unknown.exit == .status(1) && unknown.errors.contains("Known instances: sessions"))
    let nowhere = "--admin.listen-address=unix:\(deployment.sidecar.directory.path("nobody.sock"))"
    #expect(try SidecarProcess.run(["verify", "status", nowhere]).exit == .status(2))
    #expect(try deployment.sidecar.get("/api/v4/jobs").status == 404, "it is not on the metrics listener")
  }
}
