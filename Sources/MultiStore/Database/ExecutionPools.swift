/// Batches and executions that wait for their next use, so that the steady state allocates none.
struct ExecutionPools {
  /// The most that are kept of each kind: more than are in flight at once in any usual load.
  private static let limit = 1024

  private(set) var limit = Self.limit
  var batches: [CommandBatch] = []
  var dualWrites: [DualWrite] = []
  var fallbackReads: [FallbackRead] = []
  var guardedWrites: [GuardedWrite] = []
  var pageReads: [PageRead] = []
  var pipelines: [PipelineExecution] = []

  /// Releases all of them for good, and with them their references to the database.
  mutating func close() {
    self = ExecutionPools()
    limit = 0
  }

  mutating func recycle(_ batch: consuming CommandBatch) {
    if batches.count < limit { batches.append(batch) }
  }

  mutating func recycle(_ execution: consuming DualWrite) {
    if dualWrites.count < limit { dualWrites.append(execution) }
  }

  mutating func recycle(_ execution: consuming FallbackRead) {
    if fallbackReads.count < limit { fallbackReads.append(execution) }
  }

  mutating func recycle(_ execution: consuming GuardedWrite) {
    if guardedWrites.count < limit { guardedWrites.append(execution) }
  }

  mutating func recycle(_ execution: consuming PageRead) {
    if pageReads.count < limit { pageReads.append(execution) }
  }

  mutating func recycle(_ execution: consuming PipelineExecution) {
    if pipelines.count < limit { pipelines.append(execution) }
  }
}
