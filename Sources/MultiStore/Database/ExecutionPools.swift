/// Batches and executions that wait for their next use, so that the steady state allocates none.
struct ExecutionPools {
  /// The most that are kept of each kind: more than are in flight at once in any usual load.
  private static let limit = 1024

  private let limit: Int
  private var batches: [CommandBatch] = []
  var dualWrites: ExecutionPool<DualWrite>
  var fallbackReads: ExecutionPool<FallbackRead>
  var guardedWrites: ExecutionPool<GuardedWrite>
  var pageReads: ExecutionPool<PageRead>
  var pipelines: ExecutionPool<PipelineExecution>

  init(limit: Int = Self.limit) {
    self.limit = limit
    dualWrites = ExecutionPool(limit: limit)
    fallbackReads = ExecutionPool(limit: limit)
    guardedWrites = ExecutionPool(limit: limit)
    pageReads = ExecutionPool(limit: limit)
    pipelines = ExecutionPool(limit: limit)
  }

  /// Releases all of them for good, and with them their references to the database.
  mutating func close() {
    self = ExecutionPools(limit: 0)
  }

  /// Returns a batch without commands.
  mutating func takeBatch() -> CommandBatch { batches.popLast() ?? CommandBatch() }

  /// Takes back a batch that has no commands any more.
  mutating func recycle(_ batch: consuming CommandBatch) {
    if batches.count < limit { batches.append(batch) }
  }
}

/// Executions of one kind, by the role of the default store that they are for.
struct ExecutionPool<Kind: PooledExecution> {
  private let limit: Int
  private var ofPrimary: [Kind] = []
  private var ofSecondary: [Kind] = []

  init(limit: Int) {
    self.limit = limit
  }

  /// Returns an execution for routings whose default store has the role `defaultRole`.
  mutating func take(for defaultRole: StoreRole, in database: Database) -> Kind {
    let pooled = defaultRole == .primary ? ofPrimary.popLast() : ofSecondary.popLast()
    return pooled ?? Kind(ExecutionCore(in: database, defaultRole: defaultRole))
  }

  /// Takes back an execution that is over.
  mutating func recycle(_ execution: consuming Kind) {
    switch execution.defaultRole {
    case .primary: if ofPrimary.count < limit { ofPrimary.append(execution) }
    case .secondary: if ofSecondary.count < limit { ofSecondary.append(execution) }
    }
  }
}
