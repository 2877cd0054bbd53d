internal import Status

/// All that the next step of a migration is judged by. Plain values.
struct NextStepEvidence: Equatable, Sendable {
  /// The instance's name.
  var instance: String
  /// What is in force.
  var state: InstanceReport.State
  /// How long it has been so.
  var stateSeconds: Double
  /// How long every write has gone to both stores; 0 while it does not.
  var dualSeconds: Double
  /// The secondary, as it is now.
  var old: StoreReport
  /// The primary, as it is now.
  var new: StoreReport
  /// What was counted in this state, of late.
  var window: SampleHistory.Window

  /// Whether reads go to the new store first and to the old one for what that lacks.
  var fallsBack: Bool { state.reads == .primaryThenSecondary }
}
