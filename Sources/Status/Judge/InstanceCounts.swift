/// The counts of one instance that its status needs, at one moment or between two. They are those of /metrics.
package struct InstanceCounts: Equatable, Sendable {
  /// The counts of one store.
  package struct Store: Equatable, Sendable {
    /// Commands sent, with any outcome.
    package var commands = 0.0
    /// Commands without a reply.
    package var failedCommands = 0.0
    /// Commands answered with an error.
    package var errorReplies = 0.0
    package var lostConnections = 0.0
    /// Writes of the default store that could not be copied to this one.
    package var failedCopies = 0.0
    /// Replies, and the sum of their latencies.
    package var replies = 0.0
    package var replySeconds = 0.0

    /// Creates counts of zero.
    package init() {}

    package static func - (later: Store, earlier: Store) -> Store {
      var difference = later
      difference.commands -= earlier.commands
      difference.failedCommands -= earlier.failedCommands
      difference.errorReplies -= earlier.errorReplies
      difference.lostConnections -= earlier.lostConnections
      difference.failedCopies -= earlier.failedCopies
      difference.replies -= earlier.replies
      difference.replySeconds -= earlier.replySeconds
      return difference
    }
  }

  /// Commands that clients sent.
  package var commands = 0.0
  /// Reads of the primary that could fall back to the secondary.
  package var primaryReads = 0.0
  /// Primary reads that the secondary answered.
  package var fallbackReads = 0.0
  /// Primary reads of keys that neither store had.
  package var trueMisses = 0.0
  package var comparedPipelines = 0.0
  package var differingPipelines = 0.0
  /// Differing pipelines in which a value differed, and not only a key was missing.
  package var mismatchingPipelines = 0.0
  /// Reads that still had another value when repeated.
  package var persistentDiffs = 0.0
  package var methodsMissing = 0.0
  /// The secondary.
  package var old = Store()
  /// The primary.
  package var new = Store()

  /// Creates counts of zero.
  package init() {}

  package static func - (later: InstanceCounts, earlier: InstanceCounts) -> InstanceCounts {
    var difference = later
    difference.commands -= earlier.commands
    difference.primaryReads -= earlier.primaryReads
    difference.fallbackReads -= earlier.fallbackReads
    difference.trueMisses -= earlier.trueMisses
    difference.comparedPipelines -= earlier.comparedPipelines
    difference.differingPipelines -= earlier.differingPipelines
    difference.mismatchingPipelines -= earlier.mismatchingPipelines
    difference.persistentDiffs -= earlier.persistentDiffs
    difference.methodsMissing -= earlier.methodsMissing
    difference.old = later.old - earlier.old
    difference.new = later.new - earlier.new
    return difference
  }
}
