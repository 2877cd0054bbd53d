/// The evidence for the judge of the next step, as plain values.
package struct NextStepEvidence: Equatable, Sendable {
  /// The name of the flag for dual writes.
  package var dualWriteFlag: String
  /// The name of the flag that makes the primary the default.
  package var primaryAsDefaultFlag: String
  /// The effective routing.
  package var state: InstanceReport.State
  /// The time since it began, in seconds.
  package var stateSeconds: Double
  /// The time since dual writes began, in seconds; 0 while there are none.
  package var dualSeconds: Double
  /// The secondary's present state.
  package var old: StoreReport
  /// The primary's present state.
  package var new: StoreReport
  /// The recent counts of this state.
  package var window: SampleHistory.Window
  /// The name of the instance.
  package var instance = ""
  /// Whether a backfill has copied all keys of the old store to the new one.
  package var isBackfilled = false
  /// The age of the verification that found both stores equal, in seconds; nil if none has.
  package var verifiedSeconds: Double?

  /// Creates evidence.
  package init(
    dualWriteFlag: String,
    primaryAsDefaultFlag: String,
    state: InstanceReport.State,
    stateSeconds: Double,
    dualSeconds: Double,
    old: StoreReport,
    new: StoreReport,
    window: SampleHistory.Window
  ) {
    self.dualWriteFlag = dualWriteFlag
    self.primaryAsDefaultFlag = primaryAsDefaultFlag
    self.state = state
    self.stateSeconds = stateSeconds
    self.dualSeconds = dualSeconds
    self.old = old
    self.new = new
    self.window = window
  }

  /// Whether reads go to the new store first, and to the old one for keys that the new one lacks.
  var fallsBack: Bool { state.reads == .primaryThenSecondary }
}
