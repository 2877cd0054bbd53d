/// What one run of a fault has shown.
public struct FaultResult: Sendable {
  /// The case that was run.
  public let item: FaultCase
  /// Commands that were answered.
  public let commands: Int
  /// How often clients got each error, numbers in it left out.
  public let errors: [String: Int]
  /// Answers that contradict acknowledged writes, each with what was expected.
  public let wrongAnswers: [String]
  /// The longest time that a client waited for an answer, from the fault's beginning on.
  public let longestWait: Duration
  /// The longest time that a client of a server without a fault, and without a sidecar, waited meanwhile.
  public let longestWaitOfControl: Duration
  /// The half-seconds of the fault in which clients waited or got errors and nobody was served, of how many.
  public let unserved: (count: Int, of: Int)
  /// Those of them that began after the first timeout.
  public let unservedAfterFirstTimeout: (count: Int, of: Int)
  /// The time from the fault's end until a write was acknowledged and on both stores.
  public let recovery: Duration
  /// Keys that were written through the sidecar.
  public let keys: Int
  /// Those of them that are not the same on both stores afterwards.
  public let differingKeys: [String]
  /// Keys that were stale on the other store when the clients had stopped, and that have healed without another write.
  public let healedKeys: Int

  /// The number of errors.
  public var errorCount: Int { errors.values.reduce(0, +) }
}
