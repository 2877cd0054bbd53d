internal import Hiredis
public import RESP

/// What one client listens to: a connection to the default store that is the client's own, so that PUBLISH counts
/// listeners as a server does, and a second one while the default moves.
///
/// What the store says goes to the sink as it came. It is in use from the first SUBSCRIBE until `isEmpty`,
/// and whoever opened it closes it then. Loop-confined.
public final class Subscription {
  /// Names that one client may listen to, in bytes: about as many as can be subscribed to anew during a move before
  /// anybody notices.
  private static let nameBytesLimit = 16 << 20

  unowned let instance: Instance
  /// It closes the subscription before it goes.
  unowned let sink: ReplySink
  /// Where the client's messages come from.
  private var active: SubscriberLink?
  /// The connection to the store that becomes the default one.
  private var next: SubscriberLink?
  /// Where the client is to listen.
  private var target: StoreRole
  /// A command of the client is not answered yet.
  private var isExecuting = false
  private var move = Move.none
  /// The client is being cut off.
  private var isEnded = false

  /// How far a move has come.
  private enum Move {
    case none
    /// What is asked of `next` so far is under way.
    case preparing
    /// `next` listens to all that `active` does.
    case prepared
    /// `next` refused something.
    case refused
    /// Until `next` has said all that `active` says as well.
    case switching
    /// `next` is listened to; until `active` has said its last.
    case leaving
  }

  init?(_ instance: Instance, store: Store, sink: ReplySink) {
    self.instance = instance
    self.sink = sink
    target = store.role
    active = SubscriberLink(to: store, owner: self)
    if active == nil { return nil }
  }

  /// True when the client listens to nothing.
  public var isEmpty: Bool { active?.names.isEmpty ?? true }

  /// Channels and patterns that the client listens to: what CLIENT LIST calls `sub` and `psub`, and `ssub`.
  public var counts: (channels: Int, patterns: Int, shardChannels: Int) {
    guard let names = active?.names else { return (0, 0, 0) }
    return (names[.channel].count, names[.pattern].count, names[.shardChannel].count)
  }

  /// Sends one of the client's commands: what begins or ends a subscription, or PING. All its answers are in the
  /// sink's output when that hears ``ReplySink/executionDidFinish()``, which may be at once.
  ///
  /// - Precondition: the one before is answered.
  public func execute(_ command: Span<UInt8>, _ spec: CommandSpec, argumentCount: Int) {
    guard let active, active.names.byteCount + command.count <= Self.nameBytesLimit else {
      sink.output.appendError("ERR MultiStore: the names that a client listens to may have 16 MiB together")
      return sink.executionDidFinish()
    }
    isExecuting = true
    if move == .prepared { move = .none }
    var answers = 1
    if let kind = SubscriptionKind(spec), argumentCount == 1 {
      answers = max(1, active.names[kind].count)
    } else if spec.commandClass == .pubsub {
      answers = argumentCount - 1
    }
    active.send(command, answers: answers)
  }

  /// Ends it: the connections are closed, and with them what the stores know of it.
  public func close() {
    active?.close()
    next?.close()
    active = nil
    next = nil
    instance.subscriptionDidClose(self)
    finishCommand()
  }

  /// Answers the command of a client that listens to nothing and wants to listen to less.
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
  /// What a command ends; nil when it ends no subscription.
  fileprivate init?(_ spec: CommandSpec) {
    switch spec.id {
    case .unsubscribe: self = .channel
    case .punsubscribe: self = .pattern
    case .sunsubscribe: self = .shardChannel
    default: return nil
    }
  }
}

// MARK: What the connections say

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
  /// Where the client's messages come from.
  var role: StoreRole { active?.store.role ?? target }

  /// True when the client does not listen where it should.
  var isMisplaced: Bool { role != target && !isEnded }

  /// True while it is worth waiting for this one before the default moves.
  var isPreparing: Bool {
    guard isMisplaced, let next, !next.hasFailed else { return false }
    return move == .none || move == .preparing
  }

  /// True when the client listens on both stores, and to the old one alone.
  var isPrepared: Bool { move == .prepared && !isEnded }

  /// True between ``beginSwitch()`` and its end.
  var isSwitching: Bool { !isEnded && (move == .switching || move == .leaving) }

  /// The default store is to be `role`: listens there too, without a word of it to the client.
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

  /// Leaves the old store for the new one.
  ///
  /// What was published before the new store's answer to PING has come, or comes, from the old store as well; what is
  /// published later comes from the new one. Through this instance nothing is published meanwhile.
  func beginSwitch() {
    move = .switching
    next?.fence()
  }

  /// The new store is too slow to wait for any longer, or the old one was: then nobody can say what the client missed.
  func abortSwitch() {
    let isLeaving = move == .leaving
    nextFailed()
    guard isLeaving else { return }
    instance.metrics.subscriptionMove(.closed)
    end()
  }

  /// Has the client cut off: messages for it may be lost.
  func end() {
    guard !isEnded else { return }
    isEnded = true
    sink.subscriptionDidEnd()
  }

  /// Asks `next` for what it lacks, and for an answer after that.
  private func synchronise() {
    guard let next, let active, next.isReady, !isExecuting, move == .none else { return }
    move = .preparing
    next.names.forEachCommand(towards: active.names) { next.send($0, answers: $1) }
    next.fence()
  }

  private func prepared() {
    // The client may have gone on meanwhile.
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

  /// The client stays where it is, and another attempt begins from the start.
  private func nextFailed() {
    move = .none
    if let next, !next.hasFailed {
      self.next = nil
      next.close()
    }
    instance.advanceRouting()
  }
}
