/// An entry of an instance's journal.
enum JournalRecord: Equatable {
  /// A change of the knowledge of outdated keys.
  case change(StalenessChange)
  /// Changes before this one were dropped, so that the journal does not know all stale keys.
  case gap
  /// The stores that the journal is about, by their addresses and databases.
  case stores([StoreRole: String])

  private enum Kind: UInt8 {
    case marked = 1
    case cleared, clearedAll, trust, routing, stopped, gap, stores, identified, job, verified
  }

  /// The most bytes that a stale key takes in a file besides its name.
  static let maxKeyOverheadBytes =
    JournalFormat.recordOverheadBytes + 15 + (StaleReason.allCases.map(\.rawValue.utf8.count).max() ?? 0)

  /// Appends the record's payload.
  func encode(into bytes: inout [UInt8]) {
    switch self {
    case .gap: bytes.append(Kind.gap.rawValue)
    case .stores(let stores):
      bytes.append(Kind.stores.rawValue)
      for (role, place) in stores.sorted(by: { $0.key.code < $1.key.code }) {
        bytes.append(role.code)
        bytes.append(word: place)
      }
    case .change(.stopped): bytes.append(Kind.stopped.rawValue)
    case .change(.marked(let role, let key)):
      bytes += [Kind.marked.rawValue, role.code]
      bytes.append(littleEndian: Int32(clamping: key.database))
      bytes.append(littleEndian: key.sinceMilliseconds)
      bytes.append(word: key.reason.rawValue)
      bytes += key.key
    case .change(.cleared(let role, let database, let key)):
      bytes += [Kind.cleared.rawValue, role.code]
      bytes.append(littleEndian: Int32(clamping: database))
      bytes += key
    case .change(.clearedAll(let role, let database)):
      bytes += [Kind.clearedAll.rawValue, role.code]
      bytes.append(littleEndian: Int32(clamping: database))
    case .change(.trust(let role, let trust)):
      bytes += [Kind.trust.rawValue, role.code]
      guard case .lost(let loss, let since) = trust else { return }
      bytes.append(littleEndian: since)
      bytes.append(word: loss.rawValue)
    case .change(.identified(let role, let runID)):
      bytes += [Kind.identified.rawValue, role.code]
      bytes.append(word: runID)
    case .change(.job(let checkpoint)):
      bytes.append(Kind.job.rawValue)
      bytes += checkpoint.text.utf8
    case .change(.verified(let since)):
      bytes.append(Kind.verified.rawValue)
      if let since { bytes.append(littleEndian: since) }
    case .change(.routing(let role, let isWatchful)):
      bytes += [Kind.routing.rawValue, role.code, isWatchful ? 1 : 0]
    }
  }

  /// Reads a payload; nil if it is none, or one of a later version.
  init?(decoding bytes: ArraySlice<UInt8>) {
    var reader = JournalReader(rest: bytes)
    guard let kind = reader.byte().flatMap(Kind.init) else { return nil }
    switch kind {
    case .gap: self = .gap
    case .stopped: self = .change(.stopped)
    case .job:
      guard let checkpoint = KeyJobCheckpoint(String(decoding: reader.all(), as: UTF8.self)) else { return nil }
      self = .change(.job(checkpoint))
    case .verified:
      if reader.rest.isEmpty {
        self = .change(.verified(sinceMilliseconds: nil))
      } else {
        guard let since = reader.integer(Int64.self) else { return nil }
        self = .change(.verified(sinceMilliseconds: since))
      }
    case .stores:
      var stores: [StoreRole: String] = [:]
      while let code = reader.byte() {
        guard let role = StoreRole(code: code), let place = reader.word() else { return nil }
        stores[role] = place
      }
      self = .stores(stores)
    default:
      guard let role = reader.byte().flatMap(StoreRole.init(code:)),
        let change = Self.change(kind, of: role, &reader)
      else { return nil }
      self = .change(change)
    }
    guard reader.rest.isEmpty else { return nil }
  }

  private static func change(_ kind: Kind, of role: StoreRole, _ reader: inout JournalReader) -> StalenessChange? {
    switch kind {
    case .marked:
      guard let database = reader.integer(Int32.self), let since = reader.integer(Int64.self),
        let reason = reader.word().flatMap(StaleReason.init)
      else { return nil }
      let key = StaleKey(key: reader.all(), database: Int(database), sinceMilliseconds: since, reason: reason)
      return .marked(role, key)
    case .cleared:
      guard let database = reader.integer(Int32.self) else { return nil }
      return .cleared(role, database: Int(database), key: reader.all())
    case .clearedAll:
      return reader.integer(Int32.self).map { .clearedAll(role, database: Int($0)) }
    case .trust:
      if reader.rest.isEmpty { return .trust(role, .trusted) }
      guard let since = reader.integer(Int64.self), let loss = reader.word().flatMap(TrustLoss.init) else { return nil }
      return .trust(role, .lost(loss, sinceMilliseconds: since))
    case .identified: return reader.word().map { .identified(role, runID: $0) }
    case .routing:
      guard let flag = reader.byte(), flag < 2 else { return nil }
      return .routing(defaultStore: role, isWatchful: flag == 1)
    case .stopped, .gap, .stores, .job, .verified: return nil
    }
  }
}

extension StoreRole {
  /// The store's number in a journal.
  fileprivate var code: UInt8 {
    switch self {
    case .primary: 1
    case .secondary: 2
    }
  }

  fileprivate init?(code: UInt8) {
    guard let role = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = role
  }
}
