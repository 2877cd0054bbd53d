internal import EventLoop
public import RESP

/// Sending commands.
extension HiredisConnection {
  /// Sends one command; its outcome goes to `receiver` together with `token`.
  ///
  /// The receiver is retained until then. The bytes go to the store as they are. The part that can't be written at once
  /// is copied, except for a large command that has an owner and no other command before it.
  ///
  /// - Parameters:
  ///   - command: an array of bulk strings, complete. Not one that has more than one reply, or none: SUBSCRIBE and its
  ///     like, MONITOR, CLIENT REPLY.
  ///   - owner: holds the command, and nothing else: it is retained while the command is not written and was not
  ///     copied.
  ///   - receiver: gets the reply.
  ///   - token: identifies the command to the receiver.
  ///   - isCounted: false for a command whose reply is not awaited: the delegate is not notified of its outcome, and it
  ///     has no deadline, so that the connection is never closed because of it.
  ///   - isUrgent: false for a command whose reply is not awaited: it may linger briefly for others to join it, and is
  ///     written even when the connection is closed first, as far as the socket takes it.
  public func send(
    _ command: Span<UInt8>,
    of owner: SharedBytes? = nil,
    to receiver: any ReplyReceiver,
    token: Int,
    isCounted: Bool = true,
    isUrgent: Bool = true
  ) {
    loop.preconditionOnLoop()
    let lingers = lingering.admits(byteCount: command.count, isUrgent: isUrgent)
    if lingering.isActive, !lingers { handOver() }
    let unwritten = unwrittenBytes
    let queued = QueuedCommand(
      receiver: receiver,
      token: token,
      sentAt: loop.now,
      heldByteCount: command.count,
      refusal: queue.refusal(ofBytes: command.count, unwrittenBytes: unwritten),
      isCounted: isCounted
    )
    guard machine.isReady else { return sendBeforeReady(queued, command) }
    if queued.refusal != nil { return refuse(queued) }
    drains.didSend(command.count)
    if lingers {
      queue.hold(queued, bytes: command)
      return linger()
    }
    // The rest follows when the context has written what it holds.
    guard !queue.holdsCommands, unwritten < Self.unwrittenHighWater, let unretainedContext,
      unretainedContext._withUnsafeGuaranteedRef({ $0.append(command, of: owner) })
    else { return queue.hold(queued, bytes: command) }
    queue.append(queued)
    // A command that doesn't count has no deadline.
    if isCounted, !deadline.isSet { setDeadline() }
  }

  /// Sends commands that lie one behind the other in memory, as ``send(_:of:to:token:isCounted:isUrgent:)`` does with
  /// each of them. Together they cost much less.
  ///
  /// - Parameters:
  ///   - commands: the bytes of all of them.
  ///   - count: their number.
  ///   - receiver: gets the replies.
  ///   - token: identifies the first one to the receiver; each of the others has the one before it and `tokenStep`.
  ///   - isUrgent: as for a single command.
  ///   - length: returns the length of a command in bytes, by its place among them.
  public func send(
    run commands: Span<UInt8>,
    of count: Int,
    to receiver: any ReplyReceiver,
    token: Int,
    tokenStep: Int,
    isUrgent: Bool,
    length: (Int) -> Int
  ) {
    loop.preconditionOnLoop()
    guard isUrgent, commands.count < Self.mostRunBytes, takes(run: commands, of: count) else {
      var start = 0
      for index in 0..<count {
        let command = commands.extracting(start..<start + length(index))
        send(command, to: receiver, token: token + index * tokenStep, isUrgent: isUrgent)
        start += command.count
      }
      return
    }
    drains.didSend(commands.count)
    queue.append(count, of: receiver, token: token, tokenStep: tokenStep, sentAt: loop.now)
    if !deadline.isSet { setDeadline() }
  }

  /// Hands the bytes of urgent commands to the context, if none of them has to be refused or held back.
  private func takes(run commands: Span<UInt8>, of count: Int) -> Bool {
    guard machine.isReady else { return false }
    if lingering.isActive { handOver() }
    guard !queue.holdsCommands, unwrittenBytes < Self.unwrittenHighWater,
      hasRoom(commands: count, bytes: commands.count), let unretainedContext
    else { return false }
    return unretainedContext._withUnsafeGuaranteedRef { $0.append(commands) }
  }

  private func sendBeforeReady(_ command: consuming QueuedCommand, _ bytes: Span<UInt8>) {
    switch machine.admission {
    case .fail(let failure): fail(command, with: failure)
    case .hold where command.refusal != nil: refuse(command)
    case .hold:
      queue.hold(command, bytes: bytes)
      if !deadline.isSet { setHoldDeadline() }
    }
  }

  /// Queues a refused command, which fails in its turn.
  private func refuse(_ command: consuming QueuedCommand) {
    if let refusal = command.refusal, queue.isEmpty {
      fail(command, with: refusal.failure(limits))
    } else {
      queue.append(command)
    }
  }

  /// Decides how long a held back command lingers.
  private func linger() {
    switch lingering.didHold(heldBytes: queue.heldBytes) {
    case .wait: break
    case .handOver: handOver()
    case .startTimer:
      let timer = lingerTimer ?? LoopTimer(on: loop) { [unowned self] in handOver() }
      lingerTimer = timer
      timer.schedule(after: Lingering.longest)
    }
  }

  /// Hands held back commands to the context, up to the high-water mark of its unwritten bytes.
  func handOver() {
    lingering.end()
    guard machine.isReady, let context else { return }
    queue.handOver(now: loop.now) { context.unwrittenBytes < Self.unwrittenHighWater && context.append($0) }
    while let refused = queue.popRefused(), let refusal = refused.refusal {
      fail(refused, with: refusal.failure(limits))
    }
    if !deadline.isSet { setDeadline() }
  }
}
