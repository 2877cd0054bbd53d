internal import EventLoop
internal import TLS

/// Performs the actions that the state machine decides on.
extension HiredisConnection {
  func perform(_ action: ConnectionAction) {
    switch action {
    case .none: break
    case .startTimer(let delay):
      attemptTimer?.schedule(after: delay)
    case .fetchLogin(let timeout):
      fetchLogin(within: timeout)
    case .locate(let timeout):
      attemptTimer?.schedule(after: timeout)
      guard let locator else { preconditionFailure("nobody can locate \(endpoint)") }
      locator.locate(for: self)
    case .resolve(let host, let port, let timeout):
      attemptTimer?.schedule(after: timeout)
      lookUp(host, port: port)
    case .connect(let address, let timeout):
      if let timeout { attemptTimer?.schedule(after: timeout) }
      connect(to: address)
    case .sendHandshake(let commands):
      for command in commands { sendUnqueued(command) }
    case .awaitBusyServer(let errorReply, let pause):
      attemptTimer?.schedule(after: pause)
      queue.removeAll { command, _ in fail(command, with: .busy(errorReply: errorReply)) }
      reportUnavailable(ConnectionDownReason(kind: .busy, detail: errorReply, attempt: 1, retryDelay: pause))
    case .repeatHandshake(let commands, let timeout):
      attemptTimer?.schedule(after: timeout)
      sendUnqueued(commands)
    case .beginProbation(let failure, let timeout):
      queue.removeAll { command, _ in fail(command, with: failure) }
      sendProbe(timeout: timeout)
    case .sendProbe(let timeout):
      sendProbe(timeout: timeout)
    case .endContext(let end):
      context?.abort(end)
    case .becomeReady(let identity, let awaitsProbeReply):
      becomeReady(identity, awaitsProbeReply: awaitsProbeReply)
    case .failQueued(let failure):
      queue.removeAll { command, _ in fail(command, with: failure) }
    case .becomeUnavailable(let reason):
      if reason.kind == .authenticationRejected { endpoint.passwordCommand?.forget() }
      scheduleAttempt(after: reason.retryDelay)
      queue.removeAll { command, _ in fail(command, with: .notConnected(reason: reason.description)) }
      reportUnavailable(reason)
    case .failInFlight(let loss):
      scheduleAttempt(after: loss.reason.retryDelay)
      failInFlight(loss)
      reportUnavailable(loss.reason)
      notifyDrainWaiters()
    case .reconnect(let delay, let detail):
      scheduleAttempt(after: delay)
      queue.removeAll { command, _ in fail(command, with: .connectionLost(reason: detail)) }
      keepAlive?.connectionWasClosed()
      delegate?.connectionWasClosedWhileIdle(self, detail: detail)
      notifyDrainWaiters()
    }
  }

  private func lookUp(_ host: String, port: Int) {
    do throws(EventLoopError) {
      let lookup = try HostLookup(on: loop, host: host) { [unowned self] outcome in
        switch outcome {
        case .addresses(let literals):
          perform(machine.lookupDidFinish(literals.map { .tcp(host: $0, port: port) }))
        case .failure(let reason):
          perform(machine.lookupDidFail("\(host): \(reason)"))
        }
      }
      machine.lookupDidBegin(lookup)
    } catch {
      perform(machine.lookupDidFail(error.description))
    }
  }

  private func connect(to address: SocketAddress) {
    let tls: ContextTLS?
    do throws(TLSFailure) {
      tls = try makeTLS()
    } catch {
      return perform(machine.tlsDidFail(error))
    }
    do throws(ContextFailure) {
      let limit = replyLimit ?? Self.handshakeReplyLimit
      context = try HiredisContext(on: loop, address: address, tls: tls, replyLimit: limit, owner: self)
    } catch {
      perform(machine.connectDidFail(to: address, error.reason))
    }
  }

  private func makeTLS() throws(TLSFailure) -> ContextTLS? {
    guard let client = endpoint.tls, let server = machine.server else { return nil }
    return try ContextTLS(client, host: server.host)
  }

  /// Sends a command whose reply goes to the state machine.
  private func sendUnqueued(_ command: [UInt8]) {
    let accepted = context?.append(command.span) ?? false
    precondition(accepted, "a context in its handshake takes no command")
  }

  private func sendProbe(timeout: Duration) {
    attemptTimer?.schedule(after: timeout)
    let probe = probe
    _ = context?.append(probe.span)
  }

  private func becomeReady(_ identity: ServerIdentity, awaitsProbeReply: Bool) {
    if awaitsProbeReply {
      // Its reply must not be taken for a command's.
      let probe = QueuedCommand(
        receiver: DiscardedReplies.shared,
        token: 0,
        sentAt: loop.now,
        heldByteCount: 0,
        refusal: nil,
        isCounted: false
      )
      queue.append(probe)
    }
    attemptTimer?.cancel()
    hasAnswered = false
    login.isRenewing = false
    context?.isRaw = pushesBytes
    context?.replyLimit = replyLimit
    handOver()
    delegate?.connectionDidBecomeReady(self, identity: identity)
    pushReceiver?.pushConnectionDidBecomeReady(self)
  }

  private func scheduleAttempt(after delay: Duration) {
    deadlineTimer?.cancel()
    deadline.clear()
    attemptTimer?.schedule(after: delay)
  }

  private func failInFlight(_ loss: ConnectionLoss) {
    var oldest = loss.oldest
    queue.removeAll { command, wasHandedOver in
      guard command.isCounted || !wasHandedOver else { return fail(command, with: loss.others) }
      let unsent = ConnectionFailure.notConnected(reason: loss.reason.description)
      fail(command, with: wasHandedOver ? oldest ?? loss.others : unsent)
      oldest = nil
    }
  }

  private func reportUnavailable(_ reason: ConnectionDownReason) {
    delegate?.connection(self, didBecomeUnavailable: reason)
    pushReceiver?.pushConnection(self, didBecomeUnavailable: reason)
  }

  /// Notifies the sender of `command` at the end of the turn. A refused command fails for the reason of the refusal.
  func fail(_ command: borrowing QueuedCommand, with failure: ConnectionFailure) {
    let failure = command.refusal?.failure(limits) ?? failure
    if command.isCounted { delegate?.connection(self, didFail: failure) }
    failures.append(command.receiver, token: command.token, failure: failure)
  }

  /// Fails a command at the end of the turn that was not even made, since the connection takes none.
  ///
  /// - Precondition: ``takesCommands`` is false.
  public func failUnsent(_ receiver: any ReplyReceiver, token: Int) {
    loop.preconditionOnLoop()
    precondition(!takesCommands, "a connection that takes commands was to refuse one")
    guard case .fail(let failure) = machine.admission else { return }
    delegate?.connection(self, didFail: failure)
    failures.append(receiver, token: token, failure: failure)
  }
}
