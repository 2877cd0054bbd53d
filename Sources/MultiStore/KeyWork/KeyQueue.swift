internal import CoreMetrics
internal import EventLoop
internal import RESP

/// The work on whole keys of one instance. Keys that a client waits for are copied at once, stale keys in the
/// background: in each database the oldest first, within the bounds of ``KeyPace``. Loop-confined.
///
/// A stale key is copied from the store that has its value to the one where it is stale. A copy to the other store is
/// ordered with the dual writes, so these have to be on. A copy to the default store is made whatever the flags are:
/// commands that name the key wait.
final class KeyQueue {
  private unowned let instance: Instance
  private var pace: KeyPace
  private var timer: LoopTimer?
  /// The number of stale keys that are being copied to each store.
  private var healing: [StoreRole: Int] = [:]

  init(of instance: Instance, keysPerSecond: Int) {
    self.instance = instance
    pace = KeyPace(keysPerSecond: keysPerSecond)
  }

  func close() {
    timer?.close()
    timer = nil
  }

  // MARK: Copies in flight

  /// Counts a copy that begins, for a client or in the background.
  func began(isForClient: Bool) { pace.began(isForClient: isForClient) }

  /// Counts the bytes of its dump.
  func received(bytes: Int) { pace.received(bytes: bytes) }

  /// Ends a copy.
  func ended(bytes: Int) {
    pace.ended(bytes: bytes)
    wake()
  }

  /// Whether stale keys of `role`'s store are being copied, or can be now. A flip to it waits for them.
  func isHealing(_ role: StoreRole) -> Bool {
    healing[role, default: 0] > 0
      || mayHeal(role) && stores(of: role).contains { $0.store.stale.hasNext && canHeal($0) }
  }

  // MARK: Stale keys

  /// A database on one of the two stores.
  private struct Place {
    let database: Database
    let store: Store
  }

  /// Copies stale keys for as long as the bounds permit. Called when there may be some, or when one of the bounds has
  /// changed.
  func wake() {
    while healNext() {}
  }

  private func healNext() -> Bool {
    let now = instance.loop.now
    guard let place = nextPlace(now: now) else { return false }
    let isHurried = instance.isHeld
    guard pace.mayBegin(now: now, isHurried: isHurried) else {
      // The end of a copy wakes the queue too.
      if let pause = pace.pause(now: now) { wake(after: pause) }
      return false
    }
    guard let key = place.store.stale.takeNext() else { return true }
    guard place.database.mayHeal(key, on: place.store) else {
      place.store.stale.giveBack(key, hasFailed: true, now: now)
      return true
    }
    healing[place.store.role, default: 0] += 1
    place.database.heal(key, on: place.store, for: self)
    return true
  }

  private func wake(after pause: Duration) {
    let timer = timer ?? LoopTimer(on: instance.loop) { [unowned self] in wake() }
    self.timer = timer
    timer.schedule(after: pause)
  }

  /// The first database with a key that can be copied, the default store's keys before the other's.
  private func nextPlace(now: UInt64) -> Place? {
    guard instance.hasStaleKeys else { return nil }
    for role in [instance.defaultRole, instance.defaultRole.other] where mayHeal(role) {
      for place in stores(of: role) where canHeal(place) {
        place.store.stale.resumePostponed(now: now)
        if place.store.stale.hasNext { return place }
      }
    }
    return nil
  }

  /// Whether the flags permit it.
  private func mayHeal(_ role: StoreRole) -> Bool {
    role == instance.defaultRole || instance.routingState.flip.current.isDual
  }

  /// Whether both stores can be reached, and the source has the values.
  private func canHeal(_ place: Place) -> Bool {
    place.database.stores.count == 2 && place.database.stores.allSatisfy(\.ordinary.takesCommands)
      && (place.store.role != instance.defaultRole || !instance.family(place.store.role.other).mayHaveLostKeys)
  }

  private func stores(of role: StoreRole) -> [Place] {
    instance.databases.all.map { Place(database: $0, store: $0.store(role)) }
  }
}

extension KeyQueue: KeyCopyWaiter {
  func keyCopyDidFinish(_ copy: KeyCopy) {
    let target = copy.target
    healing[target.role, default: 1] -= 1
    let hasFailed = copy.outcome.failure != nil
    target.stale.giveBack(copy.key, hasFailed: hasFailed, now: instance.loop.now)
    if !copy.outcome.isOvertaken { (hasFailed ? target.metrics.notHealed : target.metrics.healed).increment() }
    instance.advanceRouting()
  }
}
