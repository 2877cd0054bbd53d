// Criteria that a backfill or a verification meets.

extension NextStepJudge {
  var backfilled: Criterion {
    Criterion(
      .backfilled,
      .met,
      measured: evidence.isBackfilled
        ? "a backfill has copied every key that the new store lacked"
        : "a verification has found every key on both stores",
      threshold: "every key of the old store is on the new one",
      advice: ""
    )
  }

  var verified: Criterion {
    let age = evidence.verifiedSeconds.map(HumanFormat.duration)
    return Criterion(
      .verified,
      age == nil ? .notMet : .met,
      measured: age.map { "a verification found both stores equal \($0) ago" }
        ?? "not verified, or not since something happened after which keys may differ",
      threshold: "a verification of all keys without a difference, with dual write on",
      advice: "Run multistore-exporter verify start --instance \(evidence.instance) --heal --wait. Its result is void "
        + "after a sidecar that was not stopped cleanly, a store that was restarted, and an overflow of stale keys."
    )
  }
}
