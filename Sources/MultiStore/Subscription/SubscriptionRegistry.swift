internal import CoreMetrics
internal import Hiredis
internal import Logging
internal import RESP

/// The outcome of a move of the default store for a listening client: the label `outcome`.
enum SubscriptionMove: String, CaseIterable {
  /// It listens to the new default store, and has missed nothing.
  case moved
  /// It stays with the old one for the time being, which still gets all messages.
  case late
  /// It was cut off, because nobody can say what it missed.
  case closed
}

/// The clients that listen, and how far they have come when the default store moves. A class, since what it asks a
/// subscription to do may come back to it before the call returns. Loop-confined.
final class SubscriptionRegistry {
  /// How often those are tried again that could not move when the others did.
  private static let lateMoveInterval = Duration.seconds(2)
  /// How long everybody else waits for such a move at most.
  static let lateHoldLimit = Duration.milliseconds(100)

  private var all: [ObjectIdentifier: Subscription] = [:]
  /// When to look at those again, by the loop's clock.
  private var nextLateMove: UInt64 = 0
  /// Why a store refused a subscription since the last move.
  private var refusal: String?
  /// The number of clients that have moved since the last change of the flags began.
  private var movedCount = 0

  /// The number of clients that listen.
  var count: Int { all.count }

  func insert(_ subscription: Subscription) {
    all[ObjectIdentifier(subscription)] = subscription
  }

  func remove(_ subscription: Subscription) {
    all[ObjectIdentifier(subscription)] = nil
  }

  /// A client listens to the new default store.
  func didMove() {
    movedCount += 1
  }

  /// A store refused a subscription.
  func wasRefused(by store: Store, _ reply: borrowing Reply) {
    refusal = "\(store.role.label) store: " + String(decoding: reply.bytes.array, as: UTF8.self)
  }

  /// Whether it is worth waiting for a subscription.
  var arePreparing: Bool { all.values.contains { $0.isPreparing } }

  /// Whether a subscription listens to both stores.
  var hasPrepared: Bool { all.values.contains { $0.isPrepared } }

  /// Whether a subscription is between the stores.
  var hasSwitching: Bool { all.values.contains { $0.isSwitching } }

  /// The default store is to be `role`: clients listen there too, in addition.
  func prepare(for role: StoreRole) {
    movedCount = 0
    refusal = nil
    for subscription in all.values { subscription.prepare(for: role) }
  }

  /// Has each subscription that listens to both stores leave the one that is no longer the default.
  func beginSwitch() {
    for subscription in all.values where subscription.isPrepared { subscription.beginSwitch() }
  }

  /// Ends the wait for subscriptions that are between the stores.
  func abortSwitch() {
    for subscription in all.values where subscription.isSwitching { subscription.abortSwitch() }
  }

  /// The routing is in force: what is to become of those that did not make it?
  ///
  /// With dual writes on, both stores get all messages. Otherwise the old one gets none any more, and the client would
  /// wait in vain.
  ///
  /// - Parameters:
  ///   - routing: the routing.
  ///   - isMove: whether the default store has just moved.
  ///   - instance: counts and logs it.
  func settle(_ routing: Routing, isMove: Bool, of instance: Instance) {
    let misplaced = all.values.filter { $0.isMisplaced }
    let isDual = routing.isDual
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

  /// Takes along those that could not move when the default store did, once it is time to try again.
  ///
  /// - Parameters:
  ///   - role: the default store.
  ///   - now: the loop's clock.
  /// - Returns: whether some listen to both stores, so that a hold of new commands lets them leave the other one.
  func prepareLate(for role: StoreRole, now: UInt64) -> Bool {
    guard now >= nextLateMove, all.values.contains(where: { $0.isMisplaced }) else { return false }
    nextLateMove = now + UInt64(Self.lateMoveInterval / .nanoseconds(1))
    for subscription in all.values { subscription.prepare(for: role) }
    return hasPrepared
  }
}
