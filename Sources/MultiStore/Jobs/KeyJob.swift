internal import EventLoop
internal import Hiredis

/// A job on the keys of an instance, from its request to its report. It scans the stores in pages; what happens with a
/// page is up to the kind of job. Loop-confined; the instance owns it.
final class KeyJob {
  /// The attempts to reach the keys of a page before they count as failed. Between two of them the stores have been
  /// ready.
  private static let attempts = 5
  /// The pause after a question that was not answered.
  private static let retryPause = Duration.milliseconds(250)

  private unowned let instance: Instance
  private(set) var progress: KeyJobProgress
  private var pace: JobPace
  private var candidates: DifferenceCandidates
  private var course: ScanCourse
  /// The page that is being copied.
  private var page: BackfillPage?
  /// Whether an answer is awaited.
  private var isBusy = false
  /// The keys of the present page that were not reached, and the attempts so far.
  private var leftKeys: [[UInt8]] = []
  private var attemptsMade = 0
  private var timer: LoopTimer?
  /// The instance's epoch when the scan began: see ``Instance/epoch``.
  private var epoch: Int
  /// Whether it was asked for while a move of the default store was under way, for which it waits.
  private var awaitsMove = false
  /// The place of the last process, until it is known whether the stores still have it.
  private var checkpoint: KeyJobCheckpoint?
  /// Called when the state or the progress is worth recording.
  private let didAdvance: (KeyJob) -> Void

  init(_ request: KeyJobRequest, of instance: Instance, didAdvance: @escaping (KeyJob) -> Void) {
    self.instance = instance
    self.didAdvance = didAdvance
    pace = JobPace(keysPerSecond: request.rate)
    candidates = DifferenceCandidates(rounds: request.rounds, heals: request.heals)
    course = ScanCourse(of: request.kind, defaultStore: instance.defaultRole)
    epoch = instance.epoch
    progress = KeyJobProgress(request, defaultStore: instance.defaultRole, now: instance.loop.wallClockMilliseconds)
    awaitsMove = instance.routingState.flip.comingDefaultStore != instance.defaultRole
  }

  /// Continues a job of the last process.
  convenience init(_ checkpoint: KeyJobCheckpoint, of instance: Instance, didAdvance: @escaping (KeyJob) -> Void) {
    self.init(checkpoint.progress.request, of: instance, didAdvance: didAdvance)
    awaitsMove = false
    progress = checkpoint.progress
    guard !progress.state.hasEnded else { return }
    self.checkpoint = checkpoint
    // A verification would not know which keys it was about to look at again.
    if progress.request.kind == .verify {
      end(.interrupted)
    } else if progress.defaultStore != instance.defaultRole {
      progress.state.defaultStoreMoved()
      self.checkpoint = nil
    }
  }

  /// The job as the next process gets it.
  func makeCheckpoint() -> KeyJobCheckpoint {
    let position = checkpoint?.position ?? course.position
    let runID = checkpoint?.runID ?? position.flatMap { instance.family($0.place.role).lastRunID }
    return KeyJobCheckpoint(progress: progress, position: position, runID: runID)
  }

  func close() {
    timer?.close()
    timer = nil
    page?.stop()
  }

  /// Whether an answer that arrives now belongs to the present run: the course is made anew when it restarts.
  private func isCurrent(_ run: Int) -> Bool { run == course.run && !progress.state.hasEnded }

  // MARK: Changes

  func change(_ change: KeyJobChange) throws(KeyJobRefusal) {
    switch change {
    case .pause:
      try progress.state.pause()
      page?.stop()
    case .resume:
      try progress.state.resume()
      awaitsMove = instance.routingState.flip.comingDefaultStore != instance.defaultRole
      if awaitsMove || instance.defaultRole != progress.defaultStore { restart() }
    case .cancel: end(.cancelled)
    case .rate(let rate):
      progress.request.rate = rate
      pace.limit(to: rate)
      progress.effectiveRate = rate
    }
    didAdvance(self)
    proceed()
  }

  /// Handles a move of the default store.
  func defaultStoreMoved() {
    guard !progress.state.hasEnded else { return }
    if awaitsMove { return restart() }
    progress.state.defaultStoreMoved()
    page?.stop()
    didAdvance(self)
  }

  /// Notes that a store may have lost keys since the job has ended.
  func becomeVoid() {
    guard progress.state.hasEnded, !progress.isVoid else { return }
    progress.isVoid = true
    didAdvance(self)
  }

  private func restart() {
    let role = instance.defaultRole
    let now = instance.loop.wallClockMilliseconds
    let state = progress.state
    progress = KeyJobProgress(progress.request, defaultStore: role, now: now)
    candidates = DifferenceCandidates(rounds: progress.request.rounds, heals: progress.request.heals)
    course.restart(defaultStore: role)
    epoch = instance.epoch
    progress.state = state
    awaitsMove = instance.routingState.flip.comingDefaultStore != role
    (page, isBusy, leftKeys, attemptsMade) = (nil, false, [], 0)
    checkpoint = nil
  }

  private func end(_ outcome: KeyJobOutcome) {
    progress.state.end(outcome)
    progress.endedMilliseconds = instance.loop.wallClockMilliseconds
    close()
  }

  // MARK: Progress

  /// Takes the next step, unless an answer is awaited. Called periodically, and when an answer has arrived.
  func proceed() {
    guard !isBusy, !progress.state.hasEnded else { return }
    progress.state.met(obstacle)
    guard progress.state == .running else { return }
    guard course.isSurveyed else { return survey() }
    let now = instance.loop.now
    let due = candidates.takeDue(now: now, atMost: KeyComparison.maxKeys)
    if !due.isEmpty { return look(at: due) }
    if let place = course.place, !candidates.isFull || !leftKeys.isEmpty {
      if let pause = pace.pause(now: now) { return proceed(after: pause) }
      return leftKeys.isEmpty ? scan(place) : examine(leftKeys, at: place)
    }
    if let next = candidates.nextDue { return proceed(after: .nanoseconds(Int64(next - min(next, now)))) }
    finish()
  }

  private func proceed(after pause: Duration) {
    let timer = timer ?? LoopTimer(on: instance.loop) { [unowned self] in proceed() }
    self.timer = timer
    timer.schedule(after: pause)
  }

  /// The obstacle to the next step; nil if there is none.
  private var obstacle: KeyJobObstacle? {
    let flip = instance.routingState.flip
    guard flip.isSettled else { return .flip }
    // After a start the flag may be on, and not applied yet.
    if progress.request.writes, !flip.current.isDual { return instance.flags.state.dualWrite ? .flip : .dualWriteOff }
    let database = course.place.flatMap { instance.reach($0.database) } ?? instance.databases.all.first
    guard let database, database.stores.count == 2, database.stores.allSatisfy(\.isReady) else {
      return .storeUnavailable
    }
    let mayHeal = instance.configuration.keysPerSecond > 0 && !progress.request.heals
    if mayHeal, instance.keyQueue.isHealing(flip.current.defaultStore.other) { return .staleKeys }
    return nil
  }

  /// Asks both stores which databases they have.
  private func survey() {
    isBusy = true
    let run = course.run
    for role in StoreRole.allCases { progress.versions[role] = instance.status.serverVersion(of: role) }
    DatabaseSurvey.begin(of: instance) { [weak self] found in
      guard let self, isCurrent(run) else { return }
      isBusy = false
      course.surveyed(found)
      progress.expectedKeys = course.expectedKeys
      if let checkpoint { resume(at: checkpoint) }
      proceed()
    }
  }

  /// Continues where the last process was. Another process of the store has other cursors.
  private func resume(at checkpoint: KeyJobCheckpoint) {
    self.checkpoint = nil
    guard let position = checkpoint.position else { return }
    let isSameServer = instance.family(position.place.role).lastRunID == checkpoint.runID
    course.resume(at: position, isSameServer: isSameServer)
  }

  // MARK: Scanning

  private func scan(_ place: ScanCourse.Place) {
    guard let database = instance.reach(place.database) else { return course.skipPlace() }
    isBusy = true
    attemptsMade = 0
    let (run, begunAt) = (course.run, instance.loop.now)
    let isFiltered = progress.request.pattern != nil || progress.request.type != nil
    let count = isFiltered ? JobPace.maxPage : pace.pageSize
    let loop = instance.loop
    StoreFence.send(over: database.stores.map(\.ordinary)) { [weak self] in
      guard let self, isCurrent(run) else { return }
      pace.measured(latency: loop.now - begunAt)
      progress.effectiveRate = Int(pace.rate)
    }
    KeyScan.send(to: database.store(place.role), cursor: course.cursor, progress.request, count: count) {
      [weak self] answer in
      guard let self, isCurrent(run) else { return }
      isBusy = false
      switch answer {
      case .page(let keys, let next):
        // Keys that don't match cost the server little.
        pace.began(keys: max(keys.count, isFiltered ? 1 : count), now: begunAt)
        progress.scannedKeys += keys.count
        course.received(next: next)
        if keys.isEmpty { pageEnded() } else { examine(keys, at: place) }
      case .failed: proceed(after: Self.retryPause)
      case .refused(let text):
        progress.failures["SCAN: \(text)", default: 0] += 1
        end(.incomplete)
        didAdvance(self)
      }
    }
  }

  private func pageEnded() {
    course.pageEnded()
    didAdvance(self)
    proceed()
  }

  private func examine(_ keys: [[UInt8]], at place: ScanCourse.Place) {
    guard let database = instance.reach(place.database) else { return pageEnded() }
    isBusy = true
    leftKeys = []
    attemptsMade += 1
    switch progress.request.kind {
    case .backfill: copy(keys, in: database)
    case .verify where place.role == course.defaultStore: compare(keys, in: database)
    case .verify: lookForExtraKeys(keys, in: database)
    }
  }

  /// Ends an attempt to examine a page. Keys that were not reached are tried again.
  private func examined(left: [[UInt8]], in database: Database) {
    isBusy = false
    guard !left.isEmpty else { return pageEnded() }
    guard attemptsMade < Self.attempts else {
      for key in left { progress.add(.failed, key, database: database.number, "no answer from a store") }
      return pageEnded()
    }
    leftKeys = left
    proceed(after: Self.retryPause)
  }

  // MARK: Backfill

  private func copy(_ keys: [[UInt8]], in database: Database) {
    let run = course.run
    let largeKeyBytes = instance.configuration.largeKeyBytes
    let begun = BackfillPage(in: database, isDryRun: progress.request.isDryRun, largeKeyBytes: largeKeyBytes) {
      [weak self] result in
      guard let self, isCurrent(run) else { return }
      self.page = nil
      note(result, in: database)
      examined(left: result.left, in: database)
    }
    page = begun
    begun.begin(with: keys)
  }

  private func note(_ result: BackfillPage.Result, in database: Database) {
    progress.add(.present, result.present)
    progress.add(.vanished, result.vanished)
    progress.add(.copied, result.copied)
    progress.copiedBytes += result.copiedBytes
    for (key, reason) in result.failed { progress.add(.failed, key, database: database.number, reason) }
    for (key, bytes) in result.large { progress.addLarge(key, database: database.number, bytes: bytes) }
  }

  // MARK: Verification

  private func compare(_ keys: [[UInt8]], in database: Database) {
    let run = course.run
    FullComparison(in: database) { [weak self] compared in
      guard let self, isCurrent(run) else { return }
      let now = instance.loop.now
      var left: [[UInt8]] = []
      for one in compared {
        switch one.outcome {
        case .equal: progress.add(.equal)
        case .different: candidates.add(one.key, database: database.number, expected: one.expected, now: now)
        case .disturbed: candidates.add(one.key, database: database.number, expected: nil, now: now)
        case .unknown: progress.add(.uncompared, one.key, database: database.number, one.expected?.type ?? "")
        case .failed: left.append(one.key)
        }
      }
      examined(left: left, in: database)
    }
    .begin(with: keys)
  }

  private func lookForExtraKeys(_ keys: [[UInt8]], in database: Database) {
    let run = course.run
    KeyQuestions.ask(database.store(course.defaultStore), ["EXISTS"], about: keys) { [weak self] answers in
      guard let self, isCurrent(run) else { return }
      let now = instance.loop.now
      var left: [[UInt8]] = []
      for (key, isThere) in zip(keys, answers) {
        switch isThere {
        case 0: candidates.add(key, database: database.number, expected: nil, now: now)
        case nil: left.append(key)
        default: break
        }
      }
      examined(left: left, in: database)
    }
  }

  /// Looks again at keys that differed.
  private func look(at due: [DifferenceCandidates.Candidate]) {
    guard let database = instance.reach(due[0].database) else { return }
    isBusy = true
    let run = course.run
    FullComparison(in: database) { [weak self] compared in
      guard let self, isCurrent(run) else { return }
      isBusy = false
      let now = instance.loop.now
      for (candidate, one) in zip(due, compared) {
        note(candidates.looked(at: candidate, one, now: now), of: one, in: database)
      }
      proceed()
    }
    .begin(with: due.map(\.key))
  }

  private func note(_ verdict: DifferenceCandidates.Verdict, of compared: ComparedKey, in database: Database) {
    let (key, number) = (compared.key, database.number)
    switch verdict {
    case .undecided, .unhealed: return
    case .equal: progress.add(.equal)
    case .healed: progress.add(.healed)
    case .changing: progress.add(.changing, key, database: number)
    case .uncompared: progress.add(.uncompared, key, database: number, compared.expected?.type ?? "")
    case .failed: progress.add(.failed, key, database: number, "no answer from a store")
    case .different(let difference):
      progress.add(KeyJobResult(difference), key, database: number, compared.detail)
      instance.reporter.found(difference, key: key, by: "verify")
      guard progress.request.heals else { return }
      // The queue copies the key, or removes it.
      database.store(course.defaultStore.other).markStale(key: key, because: .difference)
      instance.keyQueue.wake()
    }
  }

  // MARK: The end

  private func finish() {
    let isComplete =
      progress.unhealed == 0 && progress.count(.failed) == 0 && progress.count(.uncompared) == 0
    end(isComplete ? .complete : .incomplete)
    if progress.request.kind == .verify, isComplete, progress.isWhole, instance.epoch == epoch {
      instance.verified(defaultStore: course.defaultStore)
    }
    didAdvance(self)
  }
}

extension ComparedKey {
  /// The two values in words, without their contents.
  fileprivate var detail: String {
    guard let expected, let found else { return "" }
    return "\(expected.summary) / \(found.summary)"
  }
}

extension KeyDigest {
  fileprivate var summary: String {
    if isMissing { return "none" }
    let digest = digest.isEmpty ? "" : " \(digest.prefix(8))"
    return "\(type) \(size)\(digest)" + (expiry < 0 ? "" : " expires \(expiry)")
  }
}
