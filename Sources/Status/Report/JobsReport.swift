/// The last backfill and the last verification of some instances.
public struct JobsReport: Sendable, Hashable {
  /// A key that the report names.
  public struct Key: Sendable, Hashable {
    /// The first digits of the SHA-256 of the key's name, so that it can be found again without showing it.
    public var digest: String
    /// The name as far as it is shown; nil if it is not.
    public var name: String?
    /// The database, by the number of the old store.
    public var database: Int
    /// The result in one word: `missing`.
    public var result: String
    /// The details of the result; empty if there are none.
    public var detail: String

    /// Creates a key.
    public init(digest: String, name: String?, database: Int, result: String, detail: String) {
      self.digest = digest
      self.name = name
      self.database = database
      self.result = result
      self.detail = detail
    }
  }

  /// A number of keys with one result.
  public struct Count: Sendable, Hashable {
    /// The result in one word.
    public var result: String
    /// The number of keys.
    public var keys: Int
    /// Whether it is a difference between the stores.
    public var isDifference: Bool

    /// Creates a count.
    public init(result: String, keys: Int, isDifference: Bool = false) {
      self.result = result
      self.keys = keys
      self.isDifference = isDifference
    }
  }

  /// One job.
  public struct Job: Sendable, Hashable {
    /// The state in one word, and what it waits for or how it ended: `waiting`, `flip`.
    public struct State: Sendable, Hashable {
      /// `running`, `waiting`, `paused` or `ended`.
      public var word: String
      /// The reason or the outcome; nil while it runs.
      public var detail: String?

      /// Creates a state.
      public init(word: String, detail: String?) {
        self.word = word
        self.detail = detail
      }
    }

    /// The instance's name.
    public var instance: String
    /// `backfill` or `verify`.
    public var kind: String
    /// The state.
    public var state: State
    /// The pattern that the keys match; nil for all.
    public var pattern: String?
    /// The type of the keys; nil for all.
    public var type: String?
    /// Whether it only counts.
    public var isDryRun = false
    /// Whether it mends what it finds.
    public var heals = false
    /// Whether keys may have been lost or changed after the job had ended, so that its result counts no more.
    public var isVoid = false
    /// The default store: `secondary`.
    public var defaultStore: String
    /// The versions of both servers, by their roles.
    public var versions: [String: String] = [:]
    /// The time at which it started, in milliseconds since 1970.
    public var startedMilliseconds: Int64
    /// The time at which it ended; nil before.
    public var endedMilliseconds: Int64?
    /// The limit, in keys per second.
    public var rate: Int
    /// The keys per second that the stores' latency permits at present.
    public var effectiveRate: Int
    /// The keys to scan, as counted at the beginning; nil if that is not known.
    public var expectedKeys: Int?
    /// The keys that were scanned.
    public var scannedKeys: Int
    /// The share of the keys that were scanned, from 0 to 1; nil if it is not known.
    public var share: Double?
    /// The bytes of the dumps that were stored.
    public var copiedBytes: Int
    /// The results, in their order.
    public var counts: [Count] = []
    /// The failures by reason in place of the result, the most frequent first.
    public var failures: [Count] = []
    /// The keys that are worth naming.
    public var keys: [Key] = []
    /// The keys that were copied alone.
    public var largeKeys: [Key] = []

    /// Creates a job without results.
    public init(
      instance: String,
      kind: String,
      state: State,
      defaultStore: String,
      startedMilliseconds: Int64,
      rate: Int,
      effectiveRate: Int,
      scannedKeys: Int,
      copiedBytes: Int
    ) {
      self.instance = instance
      self.kind = kind
      self.state = state
      self.defaultStore = defaultStore
      self.startedMilliseconds = startedMilliseconds
      self.rate = rate
      self.effectiveRate = effectiveRate
      self.scannedKeys = scannedKeys
      self.copiedBytes = copiedBytes
    }

    /// The number of keys with a result.
    public func count(_ result: String) -> Int { counts.first { $0.result == result }?.keys ?? 0 }
  }

  /// The time of the report, in milliseconds since 1970.
  public var takenMilliseconds: Int64
  /// The jobs, in the order of the configuration.
  public var jobs: [Job]

  /// Creates a report.
  public init(takenMilliseconds: Int64, jobs: [Job]) {
    self.takenMilliseconds = takenMilliseconds
    self.jobs = jobs
  }
}
