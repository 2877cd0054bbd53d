/// Batches and executions that wait for their next use, so that the steady state allocates none.
struct ExecutionPools {
  /// The most that are kept of each kind: more than are in flight at once in any usual load.
  static let limit = 1024

  var batches: [CommandBatch] = []
  var dualWrites: [DualWrite] = []
  var fallbackReads: [FallbackRead] = []
  var pageReads: [PageRead] = []
  var pipelines: [PipelineExecution] = []

  mutating func recycle(_ batch: CommandBatch) {
    if batches.count < Self.limit { batches.append(batch) }
  }

  mutating func recycle(_ execution: DualWrite) {
    if dualWrites.count < Self.limit { dualWrites.append(execution) }
  }

  mutating func recycle(_ execution: FallbackRead) {
    if fallbackReads.count < Self.limit { fallbackReads.append(execution) }
  }

  mutating func recycle(_ execution: PageRead) {
    if pageReads.count < Self.limit { pageReads.append(execution) }
  }

  mutating func recycle(_ execution: PipelineExecution) {
    if pipelines.count < Self.limit { pipelines.append(execution) }
  }
}
