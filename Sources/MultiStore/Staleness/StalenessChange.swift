/// A change of an instance's knowledge of outdated keys, as a journal keeps it.
public enum StalenessChange: Equatable, Sendable {
  /// A key is stale on a store.
  case marked(StoreRole, StaleKey)
  /// A key is the same on both stores again.
  case cleared(StoreRole, database: Int, key: [UInt8])
  /// No key of a database is stale on a store any more.
  case clearedAll(StoreRole, database: Int)
  /// A store is trusted, or is not any more.
  case trust(StoreRole, StoreTrust)
  /// A store's server has told its run ID: with another one it is another process.
  case identified(StoreRole, runID: String)
  /// Another routing is active. `isWatchful` if writes have to reach both stores or be remembered, so that an unclean
  /// stop loses something.
  case routing(defaultStore: StoreRole, isWatchful: Bool)
  /// A job on whole keys has advanced.
  case job(KeyJobCheckpoint)
  /// A verification has found both stores equal, at this time in milliseconds since 1970; nil if that is worthless by
  /// now.
  case verified(sinceMilliseconds: Int64?)
  /// The process ends, and nothing is in flight.
  case stopped
}

/// An instance's knowledge of outdated keys when its process ended.
public struct StalenessSnapshot: Equatable, Sendable {
  /// The stale keys of each store, the oldest first.
  public var staleKeys: [StoreRole: [StaleKey]] = [:]
  /// The stores that are not trusted.
  public var trust: [StoreRole: StoreTrust] = [:]
  /// The run ID of each store's server when it was connected last.
  public var runIDs: [StoreRole: String] = [:]
  /// The last job of each kind.
  public var jobs: [KeyJobKind: KeyJobCheckpoint] = [:]
  /// The time at which a verification has found both stores equal, in milliseconds since 1970.
  public var verifiedMilliseconds: Int64?
  /// The default store; nil if there was no process before.
  public var defaultStore: StoreRole?
  /// Whether writes had to reach both stores, or to be remembered.
  public var isWatchful = false
  /// Whether the process ended with nothing in flight.
  public var wasStopped = false
  /// Whether the file could not be read, and was put aside.
  public var isDamaged = false
  /// Whether it is about stores at other addresses than those of the configuration.
  public var isOfOtherAddresses = false

  /// An empty snapshot: there was no process before.
  public init() {}
}

/// Keeps changes beyond the process. It must not block: the instance's loop calls it for each stale key.
public protocol StalenessRecorder: AnyObject, Sendable {
  /// Keeps a change, in the order of the calls. Any thread.
  func append(_ change: StalenessChange)
}
