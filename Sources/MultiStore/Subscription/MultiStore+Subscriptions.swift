internal import Hiredis
internal import Logging

/// What becomes of a listening client when the default store moves: the label `outcome`.
enum SubscriptionMove: String, CaseIterable {
  /// It listens to the new default store, and has missed nothing.
  case moved
  /// It stays with the old one for the time being, which still gets all messages.
  case late
  /// It was cut off, because nobody can say what it missed.
  case closed
}

/// The clients that listen.
struct SubscriptionRegistry {
  /// How often those are tried again that could not move when the others did.
  static let lateMoveInterval = Duration.seconds(2)
  /// How long everybody else waits for such a move at most.
  static let lateHoldLimit = Duration.milliseconds(100)

  private(set) var all: [ObjectIdentifier: Subscription] = [:]
  /// When to look at those again, by the loop's clock.
  var nextLateMove: UInt64 = 0
  /// Why a store refused a subscription since the last move.
  var refusal: String?
  /// How many have moved since the last change of the flags began.
  var movedCount = 0

  mutating func insert(_ subscription: Subscription) {
    all[ObjectIdentifier(subscription)] = subscription
  }

  mutating func remove(_ subscription: Subscription) {
    all[ObjectIdentifier(subscription)] = nil
  }
}

extension MultiStore {
  /// A subscription for a client that has none, on the default store; nil when as many connections are open as may be.
  ///
  /// - Parameter sink: gets what the store says; it closes the subscription before it goes.
  public func openSubscription(for sink: ReplySink) -> Subscription? {
    guard let subscription = Subscription(self, store: defaultStore, sink: sink) else { return nil }
    subscriptions.insert(subscription)
    return subscription
  }

  func subscriptionDidClose(_ subscription: Subscription) {
    subscriptions.remove(subscription)
    subscriptionsChanged()
  }

  func subscriptionDidMove() {
    metrics.subscriptionMove(.moved)
    subscriptions.movedCount += 1
    subscriptionsChanged()
  }

  func subscriptionWasRefused(by store: Store, _ reply: borrowing Reply) {
    subscriptions.refusal = "\(store.role.label) store: " + String(decoding: reply.bytes.array, as: UTF8.self)
  }

  /// A subscription came further on its way to another store, or can't go on.
  func subscriptionsChanged() {
    advanceRouting()
  }

  /// True while it is worth waiting for a subscription.
  var awaitsSubscriptions: Bool { subscriptions.all.values.contains { $0.isPreparing } }

  /// True when a subscription listens to both stores.
  var hasPreparedSubscriptions: Bool { subscriptions.all.values.contains { $0.isPrepared } }

  /// True while a subscription is between the stores.
  var hasSwitchingSubscriptions: Bool { subscriptions.all.values.contains { $0.isSwitching } }

  func prepareSubscriptions(for role: StoreRole) {
    subscriptions.movedCount = 0
    subscriptions.refusal = nil
    for subscription in subscriptions.all.values { subscription.prepare(for: role) }
  }

  /// Whoever listens to both stores leaves the one that is no longer the default.
  func switchSubscriptions() {
    for subscription in subscriptions.all.values where subscription.isPrepared { subscription.beginSwitch() }
  }

  func abortSwitches() {
    for subscription in subscriptions.all.values where subscription.isSwitching { subscription.abortSwitch() }
  }

  /// The routing is in force: what is to become of those that did not make it?
  ///
  /// With dual writes on, both stores get all messages. Otherwise the old one gets none any more, and the client would
  /// wait in vain.
  ///
  /// - Parameter isMove: whether the default store has just moved.
  func settleSubscriptions(isMove: Bool) {
    let misplaced = subscriptions.all.values.filter { $0.isMisplaced }
    let isDual = routingState.flip.current.isDual
    guard subscriptions.movedCount > 0 || (!misplaced.isEmpty && (isMove || !isDual)) else { return }
    for subscription in misplaced {
      if isMove || !isDual { metrics.subscriptionMove(isDual ? .late : .closed) }
      if !isDual { subscription.end() }
    }
    let metadata: Logger.Metadata = [
      "instance_name": "\(configuration.name)", "store": "\(routingState.flip.current.defaultStore.label)",
      "moved": .stringConvertible(subscriptions.movedCount),
      "late": .stringConvertible(isDual ? misplaced.count : 0),
      "closed": .stringConvertible(isDual ? 0 : misplaced.count),
      "refusal": "\(subscriptions.refusal ?? "none")",
    ]
    logger.log(
      level: misplaced.isEmpty ? .info : .warning,
      "Listening clients moved to the default store",
      metadata: metadata
    )
    subscriptions.movedCount = 0
    subscriptions.refusal = nil
  }

  /// Takes along those that could not move when the default store did. Called now and then.
  func moveLateSubscriptions() {
    guard routingState.flip.isSettled, loop.now >= subscriptions.nextLateMove,
      subscriptions.all.values.contains(where: { $0.isMisplaced })
    else { return }
    subscriptions.nextLateMove = loop.now + UInt64(SubscriptionRegistry.lateMoveInterval / .nanoseconds(1))
    for subscription in subscriptions.all.values { subscription.prepare(for: routingState.flip.current.defaultStore) }
    if hasPreparedSubscriptions { holdForLateMove() }
  }
}
