internal import Synchronization

/// What other threads may know of an instance: whether its stores are there. Any thread.
public final class InstanceStatus: Sendable {
  private struct Stores {
    var isReady: [StoreRole: Bool] = [:]
    var reasons: [StoreRole: String] = [:]
    var areSame = false
  }

  /// The instance's name.
  public let instanceName: String
  private let flags: FeatureFlags
  private let hasPrimary: Bool
  private let stores = Mutex(Stores())

  init(instanceName: String, flags: FeatureFlags, hasPrimary: Bool) {
    self.instanceName = instanceName
    self.flags = flags
    self.hasPrimary = hasPrimary
  }

  /// The store whose reply is the client's.
  public var defaultStore: StoreRole {
    let canUsePrimary = stores.withLock { hasPrimary && !$0.areSame }
    return Routing(flags: flags.state, canUsePrimary: canUsePrimary, readPolicy: .fallback).defaultStore
  }

  /// Why a store can't be used, or nil when it can.
  public func problem(with role: StoreRole) -> String? {
    stores.withLock { stores in
      stores.isReady[role] == true ? nil : stores.reasons[role] ?? "not connected yet"
    }
  }

  func set(_ role: StoreRole, isReady: Bool, reason: String? = nil) {
    stores.withLock { stores in
      stores.isReady[role] = isReady
      stores.reasons[role] = reason
    }
  }

  func set(areSame: Bool) {
    stores.withLock { $0.areSame = areSame }
  }
}
