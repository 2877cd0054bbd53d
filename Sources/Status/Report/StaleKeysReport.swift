/// The oldest stale keys of some instances, at one moment.
public struct StaleKeysReport: Sendable, Hashable {
  /// One stale key.
  public struct Key: Sendable, Hashable {
    /// The first digits of the SHA-256 of the key's name, so that it can be found again without showing it.
    public var digest: String
    /// The name as far as it is shown; nil if it is not.
    public var name: String?
    /// The database, by the number of the old store.
    public var database: Int
    /// The time since which it is stale, in milliseconds since 1970.
    public var sinceMilliseconds: Int64
    /// The reason, in one word: `timeout`.
    public var reason: String

    /// Creates a key.
    public init(digest: String, name: String?, database: Int, sinceMilliseconds: Int64, reason: String) {
      self.digest = digest
      self.name = name
      self.database = database
      self.sinceMilliseconds = sinceMilliseconds
      self.reason = reason
    }
  }

  /// The stale keys of one store.
  public struct Store: Sendable, Hashable {
    /// Whether this is the new store, the primary.
    public var isNew: Bool
    /// Whether clients get this store's replies.
    public var isDefault: Bool
    /// The number of all stale keys.
    public var count: Int
    /// The oldest of them, in order.
    public var keys: [Key]

    /// Creates a store's list.
    public init(isNew: Bool, isDefault: Bool, count: Int, keys: [Key]) {
      self.isNew = isNew
      self.isDefault = isDefault
      self.count = count
      self.keys = keys
    }

    /// The number of stale keys that are not in ``keys``.
    var more: Int { max(0, count - keys.count) }

    /// The label `store`.
    var role: InstanceReport.Target { isNew ? .primary : .secondary }
  }

  /// The stale keys of one instance.
  public struct Instance: Sendable, Hashable {
    /// The instance's name.
    public var name: String
    /// Its stores, the old one first.
    public var stores: [Store]

    /// Creates an instance's lists.
    public init(name: String, stores: [Store]) {
      self.name = name
      self.stores = stores
    }
  }

  /// The time of the report, in milliseconds since 1970.
  public var takenMilliseconds: Int64
  /// The instances, in the order of the configuration.
  public var instances: [Instance]

  /// Creates a report.
  public init(takenMilliseconds: Int64, instances: [Instance]) {
    self.takenMilliseconds = takenMilliseconds
    self.instances = instances
  }
}
