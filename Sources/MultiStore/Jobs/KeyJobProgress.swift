/// A result for one key of a job: the counts of its progress and report. Raw values appear in metrics, files and
/// reports.
public enum KeyJobResult: String, CaseIterable, Sendable {
  /// The key was copied, or would have been in a dry run.
  case copied
  /// The other store has it already.
  case present
  /// It expired or was deleted before it was copied.
  case vanished
  /// It could not be copied or compared; the report has the reasons.
  case failed
  /// It is the same on both stores.
  case equal
  case missing, extra, type, value, expiry
  /// A difference that was mended, and found equal afterwards.
  case healed
  /// It changed at each look, or was about to expire.
  case changing
  /// It can't be compared.
  case uncompared

  init(_ difference: KeyDifference) {
    self =
      switch difference {
      case .missing: .missing
      case .extra: .extra
      case .type: .type
      case .value: .value
      case .expiry: .expiry
      }
  }

  /// The differences.
  public static let differences: [KeyJobResult] = [.missing, .extra, .type, .value, .expiry]
}

extension KeyJobKind {
  /// The results that keys of the job can have.
  public var results: [KeyJobResult] {
    switch self {
    case .backfill: [.copied, .present, .vanished, .failed]
    case .verify: [.equal] + KeyJobResult.differences + [.healed, .changing, .uncompared, .failed]
    }
  }
}

/// A key that a report names.
public struct KeyFinding: Sendable, Equatable {
  /// The key's name.
  public let key: [UInt8]
  /// The database that it is in, by the number of the old store.
  public let database: Int
  /// The result for the key.
  public let result: KeyJobResult
  /// The reason of a failure, or what was found; empty if there is nothing to say.
  public let detail: String

  /// A finding made of its parts.
  public init(key: [UInt8], database: Int, result: KeyJobResult, detail: String) {
    self.key = key
    self.database = database
    self.result = result
    self.detail = detail
  }
}

/// The progress of a job, and its report when it has ended.
public struct KeyJobProgress: Sendable, Equatable {
  /// The most reasons of failures that are told apart.
  static let reasonLimit = 20

  /// The job as it was asked for, with its present rate.
  public internal(set) var request: KeyJobRequest
  /// The state of the job.
  public internal(set) var state = KeyJobState.running
  /// The store whose keys count.
  public internal(set) var defaultStore: StoreRole
  /// The versions of the stores' servers.
  public internal(set) var versions: [StoreRole: String] = [:]
  /// The time at which it started, in milliseconds since 1970.
  public internal(set) var startedMilliseconds: Int64
  /// The time at which it ended; nil before.
  public internal(set) var endedMilliseconds: Int64?
  /// Whether the outcome counts no more: after the job had ended a store was restarted, or the other one emptied, so
  /// that keys may be gone; or, for a verification, trust was lost or something else made keys that may differ.
  public internal(set) var isVoid = false
  /// The keys that the stores had when the scan began; nil if they did not tell.
  public internal(set) var expectedKeys: Int?
  /// The keys that were scanned.
  public internal(set) var scannedKeys = 0
  /// The bytes of the dumps that were stored.
  public internal(set) var copiedBytes = 0
  /// The keys per second that the latency of the stores permits at present.
  public internal(set) var effectiveRate: Int
  /// The numbers of keys by result.
  public internal(set) var counts: [KeyJobResult: Int] = [:]
  /// Failed keys by reason.
  public internal(set) var failures: [String: Int] = [:]
  /// The first keys of each result that is worth naming.
  public internal(set) var findings: [KeyFinding] = []
  /// The largest keys that were copied one at a time.
  public internal(set) var largeKeys: [KeyFinding] = []

  init(_ request: KeyJobRequest, defaultStore: StoreRole, now: Int64) {
    self.request = request
    self.defaultStore = defaultStore
    startedMilliseconds = now
    effectiveRate = request.rate
  }

  /// The share of the keys that were scanned, from 0 to 1; nil if it is not known.
  public var share: Double? {
    if case .ended(.complete) = state { return 1 }
    guard let expectedKeys else { return nil }
    return expectedKeys == 0 ? 0 : min(1, Double(scannedKeys) / Double(expectedKeys))
  }

  /// Whether the other store has got all keys, and has not lost any since as far as is known.
  public var isBackfilled: Bool {
    request.kind == .backfill && !request.isDryRun && isWhole && state == .ended(.complete) && !isVoid
  }

  /// Whether it has found keys on the other store, or has copied them there.
  var hasFoundKeys: Bool {
    count(.equal) > 0 || count(.present) > 0 || !request.isDryRun && count(.copied) > 0
  }

  /// Whether it is about all keys.
  var isWhole: Bool { request.pattern == nil && request.type == nil }

  /// The number of keys with a result.
  public func count(_ result: KeyJobResult) -> Int { counts[result, default: 0] }

  /// The differences that were found.
  public var differences: Int { KeyJobResult.differences.reduce(0) { $0 + count($1) } }

  /// The differences that were found and not mended.
  public var unhealed: Int { differences - count(.healed) }

  mutating func add(_ result: KeyJobResult, _ count: Int = 1) { counts[result, default: 0] += count }

  /// Counts a key and names it, if there is room.
  mutating func add(_ result: KeyJobResult, _ key: [UInt8], database: Int, _ detail: String = "") {
    add(result)
    if result == .failed {
      let isNew = failures[detail] == nil && failures.count >= Self.reasonLimit
      failures[isNew ? "other" : detail, default: 0] += 1
    }
    guard findings.count(where: { $0.result == result }) < request.findingLimit else { return }
    findings.append(KeyFinding(key: key, database: database, result: result, detail: detail))
  }

  /// Names a large key, if there is room.
  mutating func addLarge(_ key: [UInt8], database: Int, bytes: Int) {
    guard largeKeys.count < request.findingLimit else { return }
    largeKeys.append(KeyFinding(key: key, database: database, result: .copied, detail: "\(bytes) bytes"))
  }
}
