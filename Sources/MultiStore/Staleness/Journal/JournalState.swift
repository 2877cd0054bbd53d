/// The sum of the changes in a journal: a process' knowledge of outdated keys. It decides when a file is rewritten, and
/// does no I/O.
struct JournalState: Equatable, Sendable {
  private struct Place: Hashable {
    let role: StoreRole
    let database: Int
  }

  private struct Entry: Equatable {
    let sinceMilliseconds: Int64
    let reason: StaleReason
  }

  /// The growth of a file, in bytes, for which it is never rewritten.
  static let slackBytes = 1 << 20
  /// The limit of a file's size beyond the slack, as a multiple of the bytes that are live in it.
  static let growthFactor = 4

  private var stale: [Place: [[UInt8]: Entry]] = [:]
  private var stores: [StoreRole: String] = [:]
  private var losses: [StoreRole: StoreTrust] = [:]
  private var runIDs: [StoreRole: String] = [:]
  private var jobs: [KeyJobKind: KeyJobCheckpoint] = [:]
  private var verifiedMilliseconds: Int64?
  private var defaultStore: StoreRole?
  private var isWatchful = false
  private var hasGap = false
  /// Whether the last change was that the process stopped.
  var wasStopped = false
  /// The most bytes that the stale keys take in a file.
  private(set) var liveBytes = 0

  /// Whether it says which stores it is about, and anything about them: an instance begins with the routing.
  var isComplete: Bool {
    let isEmpty = defaultStore == nil && stale.isEmpty && losses.isEmpty && runIDs.isEmpty && !hasGap
    return !stores.isEmpty && (!isEmpty || wasStopped)
  }

  /// Applies the next record.
  mutating func apply(_ record: JournalRecord) {
    wasStopped = false
    switch record {
    case .gap: hasGap = true
    case .stores(let stores): self.stores = stores
    case .change(.marked(let role, let key)):
      let entry = Entry(sinceMilliseconds: key.sinceMilliseconds, reason: key.reason)
      let place = Place(role: role, database: key.database)
      if stale[place, default: [:]].updateValue(entry, forKey: key.key) == nil { liveBytes += Self.bytes(of: key.key) }
    case .change(.cleared(let role, let database, let key)):
      let place = Place(role: role, database: database)
      if stale[place]?.removeValue(forKey: key) != nil { liveBytes -= Self.bytes(of: key) }
      if stale[place]?.isEmpty == true { stale[place] = nil }
    case .change(.clearedAll(let role, let database)):
      let cleared = stale.removeValue(forKey: Place(role: role, database: database)) ?? [:]
      liveBytes -= cleared.keys.reduce(0) { $0 + Self.bytes(of: $1) }
    case .change(.trust(let role, let trust)): losses[role] = trust.isTrusted ? nil : trust
    case .change(.identified(let role, let runID)): runIDs[role] = runID
    case .change(.routing(let role, let isWatchful)): (defaultStore, self.isWatchful) = (role, isWatchful)
    case .change(.job(let checkpoint)): jobs[checkpoint.progress.request.kind] = checkpoint
    case .change(.verified(let since)): verifiedMilliseconds = since
    case .change(.stopped): wasStopped = true
    }
  }

  /// The relation of the configured stores to those of the file.
  enum Adoption {
    case sameStores
    /// They have other addresses, and may be the same all the same.
    case otherAddresses
    /// The knowledge of the last process is of no use.
    case otherStores
  }

  /// Makes this the state of these stores. If keys may be outdated on stores that it was not about, the one that is not
  /// the default is not trusted.
  ///
  /// Stale keys stay where the stores have only got other addresses: of one and the same server everything stays true,
  /// and another one is found out by its run ID.
  ///
  /// - Parameters:
  ///   - stores: the configured stores, each by its address and database. Without a primary nothing is known about it
  ///     once it is configured again.
  ///   - now: the time, in milliseconds since 1970.
  mutating func adopt(_ stores: [StoreRole: String], now: Int64) -> Adoption {
    guard !self.stores.isEmpty, self.stores != stores else {
      self.stores = stores
      return .sameStores
    }
    let adoption: Adoption = Self.mayBeSame(self.stores, stores) ? .otherAddresses : .otherStores
    self.stores = stores
    let mayDiffer = isWatchful || !losses.isEmpty
    (jobs, verifiedMilliseconds) = ([:], nil)
    if adoption == .otherStores { (stale, losses, runIDs, liveBytes) = ([:], [:], [:], 0) }
    let other = stores[.primary] == nil ? .primary : (defaultStore ?? .secondary).other
    if mayDiffer, losses[other] == nil { losses[other] = .lost(.otherStores, sinceMilliseconds: now) }
    if stores[.primary] == nil { (defaultStore, isWatchful) = (nil, false) }
    return adoption
  }

  /// Whether stores may be the same as before: the same databases, and none that had the other role.
  private static func mayBeSame(_ before: [StoreRole: String], _ stores: [StoreRole: String]) -> Bool {
    StoreRole.allCases.allSatisfy { role in
      guard let old = before[role], let new = stores[role] else { return before[role] == stores[role] }
      return new != before[role.other] && old.split(separator: "/").last == new.split(separator: "/").last
    }
  }

  /// Begins a process with the knowledge of the one before. From here on it has not stopped, and its journal has no
  /// gap.
  mutating func begin() {
    wasStopped = false
    hasGap = false
  }

  /// Ends the trust in all stores, since the file of the process before can't be read. The next process does not trust
  /// them either if this one is killed at once.
  mutating func distrustAll(now: Int64) {
    for role in StoreRole.allCases { losses[role] = .lost(.stateDamaged, sinceMilliseconds: now) }
  }

  /// Whether a file of `fileBytes` bytes has become too large for what is live in it.
  func shouldCompact(fileBytes: Int) -> Bool {
    fileBytes > Self.slackBytes + Self.growthFactor * liveBytes
  }

  /// The state for the next instance. A gap makes every stop an unclean one.
  var snapshot: StalenessSnapshot {
    var snapshot = StalenessSnapshot()
    for (place, entries) in stale {
      snapshot.staleKeys[place.role, default: []] += entries.map { key, entry in
        StaleKey(
          key: key,
          database: place.database,
          sinceMilliseconds: entry.sinceMilliseconds,
          reason: entry.reason
        )
      }
    }
    for role in snapshot.staleKeys.keys {
      snapshot.staleKeys[role]?.sort(by: StaleKey.isOlder)
    }
    snapshot.trust = losses
    snapshot.runIDs = runIDs
    snapshot.jobs = jobs
    snapshot.verifiedMilliseconds = verifiedMilliseconds
    snapshot.defaultStore = defaultStore
    snapshot.isWatchful = isWatchful
    snapshot.wasStopped = wasStopped && !hasGap
    return snapshot
  }

  /// Calls `body` with the records that make this state of an empty one.
  func forEachRecord<Failure>(_ body: (JournalRecord) throws(Failure) -> Void) throws(Failure) {
    if !stores.isEmpty { try body(.stores(stores)) }
    if let defaultStore { try body(.change(.routing(defaultStore: defaultStore, isWatchful: isWatchful))) }
    for (role, trust) in losses { try body(.change(.trust(role, trust))) }
    for (role, runID) in runIDs { try body(.change(.identified(role, runID: runID))) }
    for checkpoint in jobs.values { try body(.change(.job(checkpoint))) }
    if let verifiedMilliseconds { try body(.change(.verified(sinceMilliseconds: verifiedMilliseconds))) }
    for (place, entries) in stale {
      for (key, entry) in entries {
        let (database, since) = (place.database, entry.sinceMilliseconds)
        let key = StaleKey(key: key, database: database, sinceMilliseconds: since, reason: entry.reason)
        try body(.change(.marked(place.role, key)))
      }
    }
    if hasGap { try body(.gap) }
    if wasStopped { try body(.change(.stopped)) }
  }

  private static func bytes(of key: [UInt8]) -> Int { key.count + JournalRecord.maxKeyOverheadBytes }
}
