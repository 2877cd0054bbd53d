internal import Hiredis
public import RESP

/// One client's subscriptions: a connection to the default store that is the client's own, so that PUBLISH counts
/// subscribers as a server does, and a second connection while the default store moves.
///
/// The store's messages go to the sink unchanged. A subscription is in use from the first SUBSCRIBE until `isEmpty`,
/// when the caller that opened it closes it. Loop-confined.
public final class Subscription {
  unowned let instance: Instance
  /// The receiver of replies and messages. It closes the subscription before it is released.
  unowned let sink: any SubscriptionSink
  /// The connection that delivers the client's messages.
  private var active: SubscriberLink?
  /// The connection to the store that becomes the default one.
  private var next: SubscriberLink?
  /// The store that the client is to be subscribed on.
  private var target: StoreRole
  /// Whether a command of the client is in flight.
  private var isExecuting = false
  private var move = Move.none
  /// Whether the client is being disconnected.
  private var isEnded = false

  /// The progress of a move.
  private enum Move {
    case none
    /// Commands to `next` are in flight.
    case preparing
    /// `next` has all subscriptions of `active`.
    case prepared
    /// `next` refused a subscription.
    case refused
    /// Until `next` has answered a PING: messages published before that come from `active` as well.
    case switching
    /// Messages of `next` are passed on, until `active` has answered a PING.
    case leaving
  }

  init?(_ instance: Instance, store: Store, sink: any SubscriptionSink) {
    self.instance = instance
    self.sink = sink
    target = store.role
    active = SubscriberLink(to: store, owner: self)
    if active == nil { return nil }
  }

  /// Whether the client has no subscriptions.
  public var isEmpty: Bool { active?.names.isEmpty ?? true }

  /// The bytes of the names that the client is subscribed to.
  public var nameBytes: Int { active?.names.byteCount ?? 0 }

  /// The numbers of the client's channels, patterns and shard channels: `sub`, `psub` and `ssub` of CLIENT LIST.
  public var counts: (channels: Int, patterns: Int, shardChannels: Int) {
    guard let names = active?.names else { return (0, 0, 0) }
    return (names[.channel].count, names[.pattern].count, names[.shardChannel].count)
  }

  /// Sends one of the client's commands: one that begins or ends a subscription, or PING. All replies are in the sink's
  /// output when ``ReplySink/executionDidFinish()`` is called, which may be before this call returns.
  ///
  /// - Precondition: the previous command is answered.
  public func execute(_ command: Span<UInt8>, _ spec: CommandSpec, argumentCount: Int) {
    let ended = SubscriptionKind(spec)
    let beginningCount = spec.commandClass == .pubsub && ended == nil ? argumentCount - 1 : 0
    guard let active, active.names.admits(beginning: beginningCount, byteCount: command.count) else {
      sink.output.appendError("ERR MultiStore: the names that a client listens to may have 16 MiB together")
      return sink.executionDidFinish()
    }
    isExecuting = true
    if move == .prepared { move = .none }
    var answers = 1
    if let ended, argumentCount == 1 {
      answers = max(1, active.names[ended].count)
    } else if spec.commandClass == .pubsub {
      answers = argumentCount - 1
    }
    active.send(command, answers: answers)
  }

  /// Ends connections on which a command has had no reply within the store's command timeout, as after their loss.
  /// Called at regular intervals.
  public func expire() {
    active?.expire()
    next?.expire()
  }

  /// Closes the connections, which ends their subscriptions on the stores.
  public func close() {
    active?.close()
    next?.close()
    active = nil
    next = nil
    instance.subscriptionDidClose(self)
    finishCommand()
  }

  /// Answers the UNSUBSCRIBE, PUNSUBSCRIBE or SUNSUBSCRIBE of a client without subscriptions.
  public static func answerUnsubscribe(
    _ command: Span<UInt8>,
    _ spec: CommandSpec,
    _ version: ProtocolVersion,
    into output: inout ByteBuffer
  ) {
    guard let kind = SubscriptionKind(spec) else { return }
    func answer(_ name: Span<UInt8>?, _ output: inout ByteBuffer) {
      if version == .resp3 { output.appendPushHeader(3) } else { output.appendArrayHeader(3) }
      output.appendBulk(kind.unsubscribe.description)
      if let name {
        output.appendBulk(name)
      } else if version == .resp3 {
        output.appendRESP3Null()
      } else {
        output.appendNull()
      }
      output.appendInteger(0)
    }
    var arguments = ArgumentCursor(command)
    _ = arguments.next()
    if arguments.count == 1 { answer(nil, &output) }
    while let name = arguments.next() { answer(name, &output) }
  }

  private func finishCommand() {
    guard isExecuting else { return }
    isExecuting = false
    sink.executionDidFinish()
    synchronise()
  }
}

extension SubscriptionKind {
  /// The kind of subscription that a command ends; nil if it ends none.
  fileprivate init?(_ spec: CommandSpec) {
    switch spec.id {
    case .unsubscribe: self = .channel
    case .punsubscribe: self = .pattern
    case .sunsubscribe: self = .shardChannel
    default: return nil
    }
  }
}

// MARK: Events of the connections

extension Subscription {
  func link(_ link: SubscriberLink, didReceive reply: borrowing Reply) {
    if link === active || move == .leaving {
      sink.subscriptionDidReceive(reply)
    } else if reply.kind == .error {
      refuse(link, reply)
    }
  }

  func link(_ link: SubscriberLink, didReceiveLast reply: borrowing Reply) {
    self.link(link, didReceive: reply)
    if link === active { finishCommand() }
  }

  func linkDidBecomeReady(_ link: SubscriberLink) {
    if link === next { synchronise() }
  }

  func linkDidFail(_ link: SubscriberLink, _ reason: ConnectionDownReason, listened: Bool) {
    guard link === active else { return nextFailed() }
    guard isExecuting, !listened else { return end() }
    sink.output.appendError(ConnectionFailure(reason).clientError(store: link.store.role))
    finishCommand()
  }

  func linkDidPassFence(_ link: SubscriberLink) {
    switch move {
    case .preparing where link === next: prepared()
    case .switching where link === next:
      move = .leaving
      active?.fence()
    case .leaving where link === active:
      active?.close()
      active = next
      next = nil
      move = .none
      instance.subscriptionDidMove()
    default: break
    }
  }
}

// MARK: Moving

extension Subscription {
  /// The store that delivers the client's messages.
  var role: StoreRole { active?.store.role ?? target }

  /// Whether `role`'s store delivers the client's messages.
  func isServed(by role: StoreRole) -> Bool { self.role == role && !isEnded }

  /// Whether the client is to be subscribed on another store than it is.
  var isMisplaced: Bool { role != target && !isEnded }

  /// Whether a move of the default store should wait for this subscription.
  var isPreparing: Bool {
    guard isMisplaced, let next, !next.hasFailed else { return false }
    return move == .none || move == .preparing
  }

  /// Whether both stores have the client's subscriptions, and only the old one's messages are passed on.
  var isPrepared: Bool { move == .prepared && !isEnded }

  /// Whether a switch is in progress, from ``beginSwitch()`` to its end.
  var isSwitching: Bool { !isEnded && (move == .switching || move == .leaving) }

  /// Prepares for `role`'s store as the default one: subscribes there too, without notifying the client.
  func prepare(for role: StoreRole) {
    target = role
    if !isMisplaced {
      next?.close()
      next = nil
      move = .none
    } else if move != .prepared {
      if move == .refused { move = .none }
      if next == nil { next = SubscriberLink(to: instance.family(role).first, owner: self) }
      synchronise()
    }
  }

  /// Switches from the old store to the new one.
  ///
  /// Messages published before the new store's reply to PING come from the old store as well; later ones come from the
  /// new store. No command of this instance publishes anything meanwhile.
  func beginSwitch() {
    move = .switching
    next?.fence()
  }

  /// Ends a switch that takes too long. A client whose new store is slow stays on the old one. If the old store is
  /// slow, messages may have been missed, and the client is disconnected.
  func abortSwitch() {
    let isLeaving = move == .leaving
    nextFailed()
    guard isLeaving else { return }
    instance.metrics.subscriptionMove(.closed)
    end()
  }

  /// Has the client disconnected, since messages for it may be lost.
  func end() {
    guard !isEnded else { return }
    isEnded = true
    sink.subscriptionDidEnd()
  }

  /// Subscribes `next` to the names that it lacks, and sends a PING after that.
  private func synchronise() {
    guard let next, let active, next.isReady, !isExecuting, move == .none else { return }
    move = .preparing
    next.names.forEachCommand(towards: active.names) { next.send($0, answers: $1) }
    next.fence()
  }

  private func prepared() {
    // The client may have changed its subscriptions meanwhile.
    let isComplete = !isExecuting && next?.names == active?.names
    move = isComplete ? .prepared : .none
    if isComplete { instance.advanceRouting() } else { synchronise() }
  }

  private func refuse(_ link: SubscriberLink, _ reply: borrowing Reply) {
    guard link === next else { return }
    instance.subscriptions.wasRefused(by: link.store, reply)
    nextFailed()
    move = .refused
  }

  /// Leaves the client on its store. Another attempt starts from the beginning.
  private func nextFailed() {
    move = .none
    if let next, !next.hasFailed {
      self.next = nil
      next.close()
    }
    instance.advanceRouting()
  }
}
