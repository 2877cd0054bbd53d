internal import CoreMetrics
internal import Hiredis
internal import Logging
internal import RESP

/// The outcome of a move of the default store for a listening client: the label `outcome`.
enum SubscriptionMove: String, CaseIterable {
  /// It is subscribed on the new default store, and has missed no message.
  case moved
  /// It stays on the old store for now, which still gets all messages.
  case late
  /// It was disconnected, because it may have missed messages.
  case closed
}

/// The clients with subscriptions, and their progress when the default store moves. A class, since a subscription may
/// call back before a call to it returns. Loop-confined.
final class SubscriptionRegistry {
  /// The pause between attempts to move clients that were late for the last move.
  private static let lateMoveInterval = Duration.seconds(2)
  /// The longest time that commands wait for such a late move.
  static let lateHoldLimit = Duration.milliseconds(100)

  private var all: [ObjectIdentifier: Subscription] = [:]
  /// The time of the next attempt to move late clients, by the loop's clock.
  private var nextLateMove: UInt64 = 0
  /// The last refusal of a subscription by a store since the last move.
  private var refusal: String?
  /// The number of clients that have moved since the last change of the flags began.
  private var movedCount = 0
  /// Whether clients may be subscribed on a store that gets messages as copies only.
  private var hasLate = false

  /// The number of clients with subscriptions.
  var count: Int { all.count }

  func insert(_ subscription: Subscription) {
    all[ObjectIdentifier(subscription)] = subscription
  }

  func remove(_ subscription: Subscription) {
    all[ObjectIdentifier(subscription)] = nil
  }

  /// Counts a client that is subscribed on the new default store.
  func didMove() {
    movedCount += 1
  }

  /// Notes a store's refusal of a subscription, for the log.
  func wasRefused(by store: Store, _ reply: borrowing Reply) {
    refusal = "\(store.role.label) store: " + String(decoding: reply.bytes.array, as: UTF8.self)
  }

  /// Whether a move of the default store should wait for a subscription.
  var arePreparing: Bool { all.values.contains { $0.isPreparing } }

  /// Whether both stores have a client's subscriptions.
  var hasPrepared: Bool { all.values.contains { $0.isPrepared } }

  /// Whether a subscription is between the stores.
  var hasSwitching: Bool { all.values.contains { $0.isSwitching } }

  /// Prepares all clients for `role`'s store as the default one: they are subscribed there too.
  func prepare(for role: StoreRole) {
    movedCount = 0
    refusal = nil
    for subscription in all.values { subscription.prepare(for: role) }
  }

  /// Has each prepared subscription leave the store that is no longer the default one.
  func beginSwitch() {
    for subscription in all.values where subscription.isPrepared { subscription.beginSwitch() }
  }

  /// Ends the wait for subscriptions that are between the stores.
  func abortSwitch() {
    for subscription in all.values where subscription.isSwitching { subscription.abortSwitch() }
  }

  /// Handles the clients that have not moved when a routing becomes active.
  ///
  /// With dual writes on, both stores get all messages, and these clients stay on the old one. Otherwise the old store
  /// gets no more messages, and they are disconnected.
  ///
  /// - Parameters:
  ///   - routing: the routing.
  ///   - isMove: whether the default store has just moved.
  ///   - instance: counts and logs the outcome.
  func settle(_ routing: Routing, isMove: Bool, of instance: Instance) {
    let misplaced = all.values.filter { $0.isMisplaced }
    let isDual = routing.isDual
    hasLate = isDual && !misplaced.isEmpty
    guard movedCount > 0 || (!misplaced.isEmpty && (isMove || !isDual)) else { return }
    for subscription in misplaced {
      if isMove || !isDual { instance.metrics.subscriptionMove(isDual ? .late : .closed) }
      if !isDual { subscription.end() }
    }
    let metadata: Logger.Metadata = [
      "instance_name": "\(instance.configuration.name)", "store": "\(routing.defaultStore.label)",
      "moved": .stringConvertible(movedCount),
      "late": .stringConvertible(isDual ? misplaced.count : 0),
      "closed": .stringConvertible(isDual ? 0 : misplaced.count),
      "refusal": "\(refusal ?? "none")",
    ]
    instance.logger.log(
      level: misplaced.isEmpty ? .info : .warning,
      "Listening clients moved to the default store",
      metadata: metadata
    )
    movedCount = 0
    refusal = nil
  }

  /// Disconnects the clients that are subscribed on `role`'s store, which did not get the copy of a message, or may not
  /// have got it. They were late for the last move.
  func messageWasMissed(by role: StoreRole, of instance: Instance) {
    guard hasLate else { return }
    let listeners = all.values.filter { $0.isServed(by: role) }
    for subscription in listeners {
      instance.metrics.subscriptionMove(.closed)
      subscription.end()
    }
    hasLate = all.values.contains { $0.isMisplaced }
    guard !listeners.isEmpty else { return }
    instance.logger.warning(
      "Listening clients that were late for a move disconnected: their store has missed a message",
      metadata: [
        "instance_name": "\(instance.configuration.name)", "store": "\(role.label)",
        "closed": .stringConvertible(listeners.count),
      ]
    )
  }

  /// Prepares the clients that were late for the last move, if another attempt is due.
  ///
  /// - Parameters:
  ///   - role: the default store.
  ///   - now: the loop's clock.
  /// - Returns: whether some are subscribed on both stores, so that a hold of new commands lets them leave the other
  ///   one.
  func prepareLate(for role: StoreRole, now: UInt64) -> Bool {
    guard now >= nextLateMove, all.values.contains(where: { $0.isMisplaced }) else { return false }
    nextLateMove = now + UInt64(Self.lateMoveInterval / .nanoseconds(1))
    for subscription in all.values { subscription.prepare(for: role) }
    return hasPrepared
  }
}
