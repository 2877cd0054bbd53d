internal import BasicContainers
internal import CoreMetrics
internal import Hiredis
internal import RESP

/// The default store's replies, and the plans for the copies that follow from them.
extension PipelineExecution {
  /// Asks for the deadlines of keys and fields that get a relative time to live. The questions follow all commands, so
  /// that they never make a transaction fail; no command of another client comes between on this connection.
  func askForDeadlines(over connection: HiredisConnection) {
    deadlinesLeft = 0
    defer { deadlineCount = deadlinesLeft }
    guard core.routing.isDual, kind != .single, core.defaultStore.server.hasExpiryTime else { return }
    for index in 0..<core.batch.count
    where core.batch.withCommand(index, { CopyPlanner.setsRelativeExpiry(core.batch.spec(index).effect, $0) }) {
      deadlinesLeft += 1
      elements[index].hasDeadline = true
      elements[index].effect.askedForDeadline()
      DeadlineQuestion.send(about: core.batch, index, over: connection, to: self, token: Self.deadlineBit + index)
    }
  }

  /// Rewrites the cursor of the command at `index` for the default store, which executes the batch as a whole: a cursor
  /// of the other store becomes an invalid one.
  func giveCursorToItsStore(_ index: Int) {
    let spec = core.batch.spec(index)
    guard let owner = core.batch.withCommand(index, { StoreCursor.owner(of: $0, spec) }) else { return }
    if owner != core.routing.defaultStore {
      core.batch.withCommand(index) { StoreCursor.invalidate($0, spec, into: &buffers.scratch) }
    } else if owner == .primary {
      core.batch.withCommand(index) { StoreCursor.unmark($0, spec, into: &buffers.scratch) }
    } else {
      return
    }
    core.batch.replace(index, with: &buffers.scratch)
  }

  func keep(_ reply: borrowing Reply, at index: Int) {
    let spec = core.batch.spec(index)
    if spec.traits.contains(.iterates) {
      StoreCursor.encode(reply, of: core.routing.defaultStore, into: &replies)
    } else {
      reply.encode(into: &replies)
    }
    elements[index].end = replies.count
    // A single command is here because one store alone executes it.
    guard core.routing.isDual, kind != .single else {
      if spec.traits.contains(.empties), reply.kind != .error {
        core.batch.withCommand(index) { core.defaultStore.clearStale($0, spec, begunAt: .max) }
      }
      return
    }
    let reply = copy reply
    switch core.batch.commandClass(index) {
    case .read:
      if reply.kind != .error || spec.commandClass == .read { keepRead(reply, at: index, spec) }
    case .write, .script, .blocking:
      // The copies are sent when all commands are answered. A transaction that reached the default store over another
      // connection is repaired if its position is not known.
      let action = core.defaultStoreReplied(
        reply,
        to: index,
        isOnOrdinary: core.isOnOrdinary,
        isOrdered: true,
        &elements[index].effect,
        &buffers
      )
      noteWholeKeys(of: index, action)
    default: return
    }
  }

  /// Announces the keys that are copied whole when the other store has answered the rest.
  @inline(__always)
  private func noteWholeKeys(of index: Int, _ action: EffectCopy.Action) {
    guard case .copyKeys = action else { return }
    hasSkipped = true
    core.announceKeys(of: index)
  }

  /// Announces the keys that are copied whole because the order of the copies is in doubt.
  private func announceRepair() {
    for index in elements.indices where elements[index].effect.form != nil && !elements[index].effect.isRead {
      core.announceKeys(of: index)
    }
  }

  private func keepRead(_ reply: borrowing Reply, at index: Int, _ spec: CommandSpec) {
    if core.routing.readPolicy == .fallback, core.routing.defaultStore == .primary {
      core.database.metrics.primaryReads.increment()
    }
    let reply = copy reply
    elements[index].isMiss = core.batch.withCommand(index) { spec.miss.isMiss(reply, of: $0) }
    elements[index].effect.readReplied()
  }

  func deadlineIsKnown(_ answer: DeadlineQuestion.Answer, of index: Int) {
    deadlinesLeft -= 1
    noteWholeKeys(of: index, core.deadlineIsKnown(answer, of: index, &elements[index].effect, &buffers))
    if deadlinesLeft == 0 { defaultStoreIsDone() }
  }

  func execReplied(_ reply: borrowing Reply) {
    guard reply.kind == .array, reply.count == core.batch.count else {
      // Refused (EXECABORT) or aborted by WATCH: it was not executed, so the other store does not get it.
      reply.encode(into: &replies)
      refuseAll()
      return defaultStoreAnswered()
    }
    let hasAnnouncedKeys = core.hasAnnouncedKeys
    // It does not wait for itself.
    core.withdrawKeys()
    for index in 0..<reply.count { keep(reply[index], at: index) }
    if hasAnnouncedKeys { announceKeysOfTransaction() }
    defaultStoreAnswered()
  }

  func failWhole(_ failure: ConnectionFailure) {
    writeFailure(failure)
    complete()
  }

  func writeFailure(_ failure: ConnectionFailure) {
    core.database.reporter.pipelineFailed(kind, on: core.routing.defaultStore, ReportedException(failure))
    for index in 0..<core.batch.count { core.noteUnknownEffect(of: failure, at: index) }
    let repetitions = kind == .multi ? 1 : core.batch.count
    for index in 0..<repetitions {
      replies.appendError(failure.clientError(store: core.routing.defaultStore))
      core.sink?.executionDidFail(failure, at: index, on: core.routing.defaultStore)
    }
    refuseAll()
  }

  /// Makes `replies` the final answer, and notes that no command has an effect.
  private func refuseAll() {
    isRefused = true
    for index in elements.indices { _ = elements[index].effect.defaultStoreReplied(hasEffect: false) }
  }

  func defaultStoreAnswered() {
    repliesLeft -= 1
    if repliesLeft == 0, deadlinesLeft == 0 { defaultStoreIsDone() }
  }

  private func defaultStoreIsDone() {
    core.leaveDefaultStore()
    guard !isRefused else { return complete() }
    // Commands that the default store executes from now on are sent to the other one after these copies.
    isInOrder =
      !isSeparate || core.database.separateTransactions.wasAlone(since: beginning, beside: core.ordinary)
    if !isInOrder { announceRepair() }
    // A missed read may get a better answer from the other store, so it has to be waited for.
    let mayFill = core.routing.readPolicy == .fallback && elements.indices.contains(where: { elements[$0].isMiss })
    // The client is answered first, so that its reply is written before the copies.
    if core.database.configuration.writeAcknowledgement == .defaultStore, !mayFill { writeAnswer() }
    guard core.routing.isDual, elements.indices.contains(where: { elements[$0].effect.form != nil }) else {
      return copyKeys()
    }
    sendCopies()
  }
}
