internal import BasicContainers
internal import CoreMetrics
internal import Hiredis
internal import RESP

/// Sending the copies, and their failures.
extension PipelineExecution {
  func sendCopies() {
    let connection = core.otherOrdinary
    let isMulti = kind == .multi
    let (multi, exec, isUrgent) = (Self.multi, Self.exec, core.isAwaited)
    let more = roomForScripts(isOfOther: true)
    let bytes = core.batch.byteCount + buffers.guarded.count + 64 + more.bytes
    guard connection.hasRoom(commands: core.batch.count + 2 + more.commands, bytes: bytes) else {
      return noCopyWasExecuted(CopyFailure(.queueFull(limit: connection.limits.maxQueuedCommands)))
    }
    prepareScripts(over: connection)
    if isMulti { connection.send(multi.span, to: self, token: Self.openToken, isUrgent: isUrgent) }
    var first = 0
    while first < elements.count {
      var end = first + 1
      if let form = elements[first].effect.form {
        if !isMulti, presences[first] != nil { askForPresence(of: first, on: core.other, over: connection) }
        let (token, step) = isMulti ? (Self.openToken, 0) : (Self.copyBit + first, 1)
        if case .guarded(let range, _) = form {
          buffers.guarded.withSpan {
            connection.send($0.extracting(range), to: self, token: token, isUrgent: isUrgent)
          }
        } else {
          end = core.batch.endOfRun(from: first) {
            elements[$0].effect.isUnguarded && (isMulti || presences[$0] == nil)
          }
          core.batch.send(
            run: first..<end,
            over: connection,
            to: self,
            token: token,
            tokenStep: step,
            isUrgent: isUrgent
          )
        }
        for index in first..<end { elements[index].effect.wasSent() }
        copiesLeft += end - first
      }
      first = end
    }
    if isMulti {
      copiesLeft = 1
      connection.send(exec.span, to: self, token: Self.copiedExecToken, isUrgent: isUrgent)
    }
  }

  func copiedExecReplied(_ reply: borrowing Reply) {
    let copied = elements.indices.filter { elements[$0].effect.form != nil }
    if reply.kind == .array, reply.count == copied.count {
      for (place, index) in copied.enumerated() { compare(reply[place], with: index) }
      finishComparison()
    } else {
      transactionWasRefused(CopyFailure(reply))
    }
  }

  /// Asks again for what the default store lacks, outside of a transaction: a store that is full refuses whatever is
  /// queued in one, reads as well. The rest was not executed.
  private func transactionWasRefused(_ failure: CopyFailure) {
    let connection = core.otherOrdinary
    let mayAsk =
      core.routing.readPolicy == .fallback && connection.hasRoom(commands: elements.count, bytes: core.batch.byteCount)
    copiesLeft = 0
    for index in elements.indices where elements[index].effect.form != nil {
      if mayAsk, elements[index].isMiss { copiesLeft += 1 } else { copyFailed(failure, of: index) }
    }
    guard copiesLeft > 0 else { return finishComparison() }
    // An element whose copy has failed has no form any more.
    for index in elements.indices where elements[index].effect.form != nil {
      core.batch.withCommand(index) { connection.send($0, to: self, token: Self.copyBit + index, isUrgent: true) }
    }
  }

  func otherStoreReplied(_ reply: borrowing Reply, to index: Int) {
    copiesLeft -= 1
    compare(reply, with: index)
    if copiesLeft == 0 { finishComparison() }
  }

  func copyFailed(_ failure: CopyFailure, _ token: Int) {
    guard token >= Self.copyBit else { return noCopyWasExecuted(failure) }
    copiesLeft -= 1
    copyFailed(failure, of: token - Self.copyBit)
    if copiesLeft == 0 { finishComparison() }
  }

  /// Counts all copies as failed: none was executed, or that is unknown.
  private func noCopyWasExecuted(_ failure: CopyFailure) {
    for index in elements.indices where elements[index].effect.form != nil { copyFailed(failure, of: index) }
    finishComparison()
  }

  /// Counts the failure of a write. A read that the other store did not answer leaves nothing stale there.
  private func copyFailed(_ failure: CopyFailure, of index: Int) {
    hasSkipped = true
    if copyFailure == nil { copyFailure = failure }
    if elements[index].effect.failed() == .noteStale {
      core.other.copyFailed(core.batch, index, failure.reason)
    }
  }
}
