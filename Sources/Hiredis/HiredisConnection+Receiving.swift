internal import CHiredis
internal import EventLoop
internal import RESP

/// Reports of the context: it has connected, read, written, or ended.
extension HiredisConnection {
  func contextDidReachStore() {
    machine.contextDidReachStore()
  }

  func contextDidConnect() {
    // Before they are read: a change after that is noticed.
    login.usedFiles = endpoint.loginFiles
    perform(
      machine.contextDidConnect(
        login: endpoint.withCurrentLogin(printed: login.printedPassword),
        options: handshake
      )
    )
  }

  /// Whether written bytes have to be acted upon.
  @inline(__always)
  var awaitsWriting: Bool { queue.holdsCommands || lingering.mayHaveUnwritten || drains.hasWaiters }

  /// Makes use of the room that written bytes have left.
  func contextDidWrite() {
    if queue.holdsCommands { handOver() }
    if lingering.mayHaveUnwritten { lingering.didWrite(queuedBytes: queuedBytes) }
    notifyDrainWaiters()
  }

  func contextDidReceive(_ reply: UnsafePointer<redisReply>) {
    let reply = Reply(borrowing: reply)
    guard machine.isReady else { return perform(machine.didReceive(Handshake.Answer(reply), at: loop.now)) }
    if isPushing {
      replyCount &+= 1
      pushReceiver?.pushConnection(self, didReceive: reply)
      return
    }
    guard let command = queue.popAnswered() else {
      context?.abort(.unexpectedReply)
      return
    }
    replyCount &+= 1
    if command.isCounted {
      hasAnswered = true
      if command.sentAt != answered.sentAt { reportAnswered() }
      let isError = reply.kind == .error
      answered.add(sentAt: command.sentAt, isError: isError)
      if isError { act(on: reply.knownErrorCode) }
    }
    command.receiver.receive(reply, token: command.token)
    while let refused = queue.popRefused(), let refusal = refused.refusal {
      if refused.isCounted { delegate?.connection(self, didFail: refusal.failure(limits)) }
      refused.receiver.receive(failure: refusal.failure(limits), token: refused.token)
    }
  }

  /// Acts on errors that say that the connection has to be made anew, or logged in again.
  private func act(on code: ServerErrorCode?) {
    switch code {
    case .noAuthentication: logInAgain(isRequired: true)
    case .readOnly: locator?.serverRefusedWrite(of: self)
    default: break
    }
  }

  func contextDidReceiveRaw(_ bytes: Span<UInt8>) {
    pushReceiver?.pushConnection(self, didReceive: bytes)
  }

  /// Reports the replies of a read, once all that had arrived have been received.
  func contextDidRead() {
    reportAnswered()
  }

  private func reportAnswered() {
    guard answered.count > 0 else { return }
    let (count, errors, sentAt) = (answered.count, answered.errorCount, answered.sentAt)
    answered.removeAll()
    delegate?.connection(self, didComplete: count, errors: errors, latencyNanoseconds: loop.now &- sentAt)
  }

  func contextDidEnd(_ end: ContextEnd) {
    context = nil
    let unanswered = UnansweredCommands(
      areInFlight: queue.hasHandedOver,
      areAwaited: isPushing || queue.oldestCounted != nil,
      areFirst: !hasAnswered
    )
    perform(machine.contextDidEnd(end, unanswered, at: loop.now))
  }
}
