internal import MultiStore

/// The execution of a session that is in flight; ``SessionState`` tells whether there is one.
struct ExecutionInFlight {
  /// The number of its commands.
  private(set) var commands = 0
  /// The memory that they take, in bytes, which counts as the client's.
  private(set) var bytes = 0
  /// The bytes of its replies that were passed on to the client already.
  var passedOnBytes = 0
  /// The identity of a single command in ``DeepReplies``; 0 if its reply can't be too deep.
  let identity: Int

  /// No execution.
  init() {
    identity = 0
  }

  init(of batch: CommandBatch, identity: Int) {
    commands = batch.count
    bytes = batch.memoryBytes
    self.identity = identity
  }
}
