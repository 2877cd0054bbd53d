internal import BasicContainers
internal import CoreMetrics
internal import Hiredis
internal import RESP

/// What happens when the default store answers, and what the other store is to get because of it.
extension PipelineExecution {
  /// Asks for the deadlines of what gets a relative time to live. The questions stand behind all commands, where
  /// nothing of another client can have come between on this connection, and they never make a transaction fail.
  func askForDeadlines(over connection: HiredisConnection) {
    deadlinesLeft = 0
    guard routing.isDual, kind != .single, defaultStore.hasExpiryTime else { return }
    let batch = batch
    for index in 0..<batch.count
    where batch.withCommand(index, { CopyPlanner.setsRelativeExpiry(batch.spec(index).effect, $0) }) {
      deadlinesLeft += 1
      DeadlineQuestion.send(about: batch, index, over: connection, to: self, token: Self.deadlineBit + index)
    }
  }

  /// A batch is executed by one store as a whole, so a cursor of the other one is of no use in it.
  func giveCursorToItsStore(_ index: Int) {
    let spec = spec(index)
    guard let owner = withCommand(index, { StoreCursor.owner(of: $0, spec) }) else { return }
    if owner != routing.defaultStore {
      withCommand(index) { StoreCursor.invalidate($0, spec, into: &scratch) }
    } else if owner == .primary {
      withCommand(index) { StoreCursor.unmark($0, spec, into: &scratch) }
    } else {
      return
    }
    scratch.withSpan { batch.replace(index, with: $0) }
  }

  func keep(_ reply: borrowing Reply, at index: Int) {
    let batch = batch
    let spec = batch.spec(index)
    if spec.traits.contains(.iterates) {
      StoreCursor.encode(reply, of: routing.defaultStore, into: &replies)
    } else {
      reply.encode(into: &replies)
    }
    elements[index].end = replies.count
    // A command of its own came here because one store alone is to execute it.
    guard routing.isDual, kind != .single,
      reply.kind != .error || spec.commandClass == .read
        || spec.mayHaveWritten(despite: reply)
    else { return }
    let reply = copy reply
    switch batch.withCommand(index, { spec.commandClass(ofCommand: $0) }) {
    case .read:
      elements[index].isRead = true
      if routing.readPolicy == .fallback, routing.defaultStore == .primary {
        multiStore.metrics.primaryReads.increment()
      }
      elements[index].isMiss = batch.withCommand(index) { spec.miss.isMiss(reply, of: $0) }
      elements[index].isComparable = true
      elements[index].isCopied = true
    case .write, .script, .blocking:
      planCopy(of: index, in: batch, spec, after: reply)
    default: return
    }
  }

  /// Decides what the other store gets; a changed command takes the place of the client's in the batch's copy.
  private func planCopy(
    of index: Int,
    in batch: CommandBatch,
    _ spec: CommandSpec,
    after reply: borrowing Reply
  ) {
    let reply = copy reply
    if connection !== defaultStore.ordinary, let rechecks = multiStore.rechecks {
      batch.withCommand(index) { rechecks.noteChange(ofKeysIn: $0, spec) }
    }
    if deadlinesLeft > 0, batch.withCommand(index, { CopyPlanner.setsRelativeExpiry(spec.effect, $0) }) {
      elements[index].awaitsDeadline = batch.withCommand(index) {
        CopyPlanner.tookEffect(spec.effect, $0, after: reply)
      }
      return
    }
    let planner = multiStore.copyPlanner(for: other)
    let plan = batch.withCommand(index) { planner.plan(spec.effect, $0, after: reply, into: &scratch) }
    execute(plan, of: index, in: batch, spec)
  }

  /// What is done after it in the same batch may have taken the deadline away again; then its own stays as the clock
  /// says it, and what follows takes it away on the other store too.
  func deadlineIsKnown(_ milliseconds: Int?, of index: Int) {
    deadlinesLeft -= 1
    if elements[index].awaitsDeadline {
      var planner = multiStore.copyPlanner(for: other)
      planner.knownDeadline = milliseconds
      let spec = spec(index)
      let plan = withCommand(index) { planner.expiring(spec.effect, $0, into: &scratch) }
      execute(plan, of: index, in: batch, spec)
    }
    if deadlinesLeft == 0 { defaultStoreIsDone() }
  }

  private func execute(_ plan: CopyPlan, of index: Int, in batch: CommandBatch, _ spec: CommandSpec) {
    if plan != .noEffect { batch.withCommand(index) { defaultStore.clearStale($0, spec, begunAt: begunAt) } }
    switch plan {
    case .verbatim:
      elements[index].isCopied = true
      elements[index].isComparable = true
      if batch.withCommand(index, { CopyPlanner.changesPart($0, spec) }) { guardCopy(of: index) }
    case .rewritten(let isComparable):
      scratch.withSpan { batch.replace(index, with: $0) }
      elements[index].isCopied = true
      elements[index].isComparable = isComparable
      if batch.withCommand(index, { CopyPlanner.changesPart($0, spec) }) { guardCopy(of: index) }
    case .keys(let selection): elements[index].keysToCopy = selection
    case .noEffect: return
    case .notRepeatable:
      if spec.staysUncopied { multiStore.leftUncopied(batch, index, on: other.role) }
    }
  }

  /// A write that changes part of a key goes out under guard; where the key is stale it is of no use at all.
  private func guardCopy(of index: Int) {
    let isOfUse = withCommand(index) { command in
      scratch.removeAll()
      return !other.isStale(command, bytesSpec(index)) && PresenceGuard.wrap(command, into: &scratch)
    }
    if isOfUse {
      elements[index].guardedCommand = guarded.count..<guarded.count + scratch.count
      scratch.withSpan { guarded.append($0) }
    } else {
      elements[index].isCopied = false
      elements[index].keysToCopy = .all
    }
  }

  func execReplied(_ reply: borrowing Reply) {
    guard reply.kind == .array, reply.count == batch.count else {
      // Refused (EXECABORT) or aborted by WATCH: it did not happen, so the other store hears nothing of it.
      reply.encode(into: &replies)
      isRefused = true
      return defaultStoreAnswered()
    }
    for index in 0..<reply.count { keep(reply[index], at: index) }
    defaultStoreAnswered()
  }

  func failWhole(_ failure: ConnectionFailure) {
    writeFailure(failure)
    complete()
  }

  func writeFailure(_ failure: ConnectionFailure) {
    multiStore.pipelineFailed(kind, on: routing.defaultStore, ReportedException(failure))
    if failure.mayHaveBeenExecuted, routing.isDual {
      for index in 0..<batch.count { multiStore.markUnknown(batch, index, on: other.role) }
    }
    let repetitions = kind == .multi ? 1 : batch.count
    for index in 0..<repetitions {
      replies.appendError(failure.clientError(store: routing.defaultStore))
      sink?.executionDidFail(failure, at: index, on: routing.defaultStore)
    }
    isRefused = true
  }

  func defaultStoreAnswered() {
    repliesLeft -= 1
    if repliesLeft == 0, deadlinesLeft == 0 { defaultStoreIsDone() }
  }

  private func defaultStoreIsDone() {
    guard !isRefused else { return complete() }
    // Commands that the default store executes from now on are sent to the other one after these copies.
    isInOrder = !isSeparate || multiStore.separateTransactions.wasAlone(since: beginning, beside: defaultStore.ordinary)
    guard routing.isDual, elements.indices.contains(where: { elements[$0].isCopied }) else { return copyKeys() }
    // A missed read may get a better answer from the other store, so it has to be waited for.
    let mayFill = routing.readPolicy == .fallback && elements.indices.contains(where: { elements[$0].isMiss })
    // The client first: its answer is written before the copies then.
    if multiStore.configuration.writeAcknowledgement == .defaultStore, !mayFill { writeAnswer() }
    sendCopies()
  }
}
