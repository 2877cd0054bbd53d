internal import Hiredis
internal import RESP

/// Ending the wait on a store, with CLIENT UNBLOCK.
extension BlockedCommand {
  /// Ends the wait for good.
  func cancel() {
    if canBeUnblocked { perform(state.cancel()) }
  }

  /// Ends the wait on this store, if possible.
  func unblock() {
    if canBeUnblocked { perform(state.unblock()) }
  }

  /// Asks the store again to end the wait, if it had not received the command before, or closes the connection, if the
  /// store can't be asked and is the default store no longer.
  func retry() {
    switch state.retry(hasLeft: hasLeft) {
    case .none: return
    case .ask: ask()
    case .closeConnection: connection?.expire(after: .zero)
    }
  }

  /// Whether the command's wait can be ended, and be resumed with the rest of its timeout. The batch of an answered
  /// command is empty.
  private var canBeUnblocked: Bool {
    core.isAwaited && !state.isAnswered && core.batch.withCommand(0) { BlockingTimeout($0, core.batch.spec(0)) } != nil
  }

  func perform(_ action: BlockedCommandState.EndAction) {
    switch action {
    case .none: return
    case .ask: ask()
    case .answer(let heldNil): answer(heldNil, isCancelled: true)
    }
  }

  func perform(_ action: BlockedCommandState.UnblockAction) {
    switch action {
    case .none: return
    case .askLater: instance.retryUnblockingLater()
    case .wait(let isCancelled):
      if isCancelled { notifyCancelled() }
      follow(instance.routingState.flip.current)
      instance.advanceRouting()
    case .strand(let isCancelled):
      if isCancelled { notifyCancelled() }
      instance.commandWasStranded()
    case .park: instance.didPark(self)
    case .answer(let heldNil, let isCancelled): answer(heldNil, isCancelled: isCancelled)
    }
  }

  private func notifyCancelled() {
    if core.isAwaited { client?.executionWasCalledOff() }
  }

  /// Sends CLIENT UNBLOCK.
  func ask() {
    guard let connection, let id = connection.clientID else {
      // A server that does not report the identifier can't be asked; one that is not connected yet may report it soon.
      return unblockAnswered(connection?.isReady == true ? .refused : .notBlocked)
    }
    let command = CommandWriter.command("CLIENT", "UNBLOCK", String(id), "TIMEOUT")
    core.ordinary.send(command.span, to: self, token: Self.unblockToken)
  }

  func unblockAnswered(_ answer: BlockedCommandState.UnblockAnswer) {
    perform(state.unblockAnswered(answer, isLeaving: isLeaving))
  }

  /// Answers with the nil that was held, or not at all if the wait was cancelled and has no timeout: no server answers
  /// that with nil, and applications don't expect one.
  func answer(_ heldNil: [UInt8], isCancelled: Bool) {
    if isCancelled { notifyCancelled() }
    if isCancelled, isEndless, core.isAwaited {
      client?.executionHasNoReply()
    } else {
      core.sink?.output.append(heldNil.span)
    }
    leave { finish() }
  }

  /// Whether the command has no timeout.
  private var isEndless: Bool {
    core.batch.withCommand(0) { BlockingTimeout($0, core.batch.spec(0))?.duration(in: $0) } == nil
  }
}

extension BlockedCommandState.UnblockAnswer {
  /// Interprets a reply to CLIENT UNBLOCK. A server without the command answers with an error without a code.
  init(_ reply: borrowing Reply) {
    switch reply.kind {
    case .integer: self = reply.integer == 1 ? .unblocked : .notBlocked
    case .error:
      switch reply.knownErrorCode {
      case .noPermission, .generic: self = .refused
      default: self = .failed
      }
    case .status, .string, .nil, .array: self = .failed
    }
  }
}
