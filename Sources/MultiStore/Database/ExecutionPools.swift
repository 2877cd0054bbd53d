/// Batches and executions that wait for their next use, so that the steady state allocates none.
struct ExecutionPools {
  /// The most that are kept of each kind: more than are in flight at once in any usual load.
  static let limit = 1024

  var batches: [CommandBatch] = []
  var dualWrites: [DualWrite] = []
  var fallbackReads: [FallbackRead] = []
  var pageReads: [PageRead] = []
  var pipelines: [PipelineExecution] = []
}
