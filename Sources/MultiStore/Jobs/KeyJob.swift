internal import EventLoop
internal import Hiredis

/// A job on the keys of an instance, from its request to its report. It scans the stores in pages, of which several are
/// in work; what happens with a page is up to the kind of job. Loop-confined; the instance owns it.
final class KeyJob {
  unowned let instance: Instance
  var progress: KeyJobProgress
  var pace: JobPace
  var candidates: DifferenceCandidates
  var course: ScanCourse
  /// Bounds the copies of all pages.
  let budget: CopyBudget
  /// The pages in work, and those that wait for another attempt.
  var pages: [JobPage] = []
  /// Whether the answer to the survey, or to a scan, is awaited.
  var isScanning = false
  /// The time before which nothing is scanned after a failure, by the loop's clock.
  var scanPausedUntil: UInt64 = 0
  /// Whether keys that differed are being looked at again.
  var isLookingAgain = false
  private var timer: LoopTimer?
  /// The instance's epoch when the scan began: see ``Instance/epoch``.
  var epoch: Int
  /// Whether it was asked for while a move of the default store was under way, for which it waits.
  private var awaitsMove = false
  /// Whether the other store had fewer keys than it should have, at the last look at the end.
  private var lackedMany = false
  /// The keys of each database that were found on the other store, or copied there: at least so many.
  var foundKeys: [Int: Int] = [:]
  /// The place of the last process, until it is known whether the stores still have it.
  var checkpoint: KeyJobCheckpoint?
  /// Called when the state or the progress is worth recording.
  let didAdvance: (KeyJob) -> Void

  init(_ request: KeyJobRequest, of instance: Instance, didAdvance: @escaping (KeyJob) -> Void) {
    self.instance = instance
    self.didAdvance = didAdvance
    pace = JobPace(keysPerSecond: request.rate)
    budget = CopyBudget(largeKeyBytes: instance.configuration.largeKeyBytes)
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
    // The databases are scanned in their order.
    if let position = checkpoint.position, progress.hasFoundKeys {
      for number in 0..<position.place.database { foundKeys[number] = 1 }
      if position.cursor != KeyScan.start { foundKeys[position.place.database] = 1 }
    }
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
    return KeyJobCheckpoint(progress: progress, position: position, runIDs: checkpoint?.runIDs ?? instance.runIDs)
  }

  func close() {
    timer?.close()
    timer = nil
    stopPages()
  }

  /// Whether an answer that arrives now belongs to the present run: the course is made anew when it restarts.
  func isCurrent(_ run: Int) -> Bool { run == course.run && !progress.state.hasEnded }

  // MARK: Changes

  func change(_ change: KeyJobChange) throws(KeyJobRefusal) {
    switch change {
    case .pause:
      try progress.state.pause()
      stopPages()
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
    stopPages()
    didAdvance(self)
  }

  /// Notes that a store may have lost keys: a job that has ended counts no more, and another one begins again. A
  /// store's other process has other cursors, too.
  func storeMayHaveLostKeys() {
    if progress.state.hasEnded { return endCountsNoMore() }
    let isRestored = checkpoint != nil
    stopPages()
    restart()
    if isRestored { awaitsMove = false }
    didAdvance(self)
  }

  /// Notes that the outcome is about keys that may be others since.
  func endCountsNoMore() {
    guard !progress.isVoid else { return }
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
    (pages, isScanning, isLookingAgain) = ([], false, false)
    foundKeys = [:]
    lackedMany = false
    checkpoint = nil
  }

  /// Begins no other copy of the pages in work.
  private func stopPages() {
    for page in pages { page.copying?.stop() }
  }

  func end(_ outcome: KeyJobOutcome) {
    progress.state.end(outcome)
    progress.endedMilliseconds = instance.loop.wallClockMilliseconds
    close()
  }

  // MARK: Progress

  /// Takes the next steps. Called periodically, and when an answer has arrived.
  func proceed() {
    guard !progress.state.hasEnded else { return }
    skipRefusedDatabases()
    progress.state.met(obstacle)
    guard progress.state == .running else { return }
    guard course.isSurveyed else {
      if isScanning { return }
      return scanPausedUntil <= instance.loop.now ? survey() : wait(now: instance.loop.now)
    }
    lookAgain()
    let now = instance.loop.now
    for page in pages where page.isDue(now: now) { examine(page) }
    while let place = course.place, mayScan(now: now) { scan(place) }
    guard !progress.state.hasEnded else { return }
    let isDone = course.place == nil && pages.isEmpty && candidates.isEmpty && !isScanning && !isLookingAgain
    if isDone, scanPausedUntil <= now { finish() } else { wait(now: now) }
  }

  /// Calls ``proceed()`` when the next thing that waits for a time is due.
  private func wait(now: UInt64) {
    var times = pages.compactMap(\.dueAt)
    if !isLookingAgain, let next = candidates.nextDue { times.append(next) }
    if !course.isSurveyed { times.append(scanPausedUntil) }
    if course.place != nil, !isScanning, pages.count < JobPage.limit, !candidates.isFull {
      times.append(max(scanPausedUntil, pace.nextAt))
    }
    guard let next = times.min() else { return }
    let timer = timer ?? LoopTimer(on: instance.loop) { [unowned self] in proceed() }
    self.timer = timer
    timer.schedule(after: .nanoseconds(Int64(next - min(next, now))))
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
    // A verification that heals waits for keys that were stale before it, not for those that it finds.
    let mayAwaitQueue =
      instance.configuration.keysPerSecond > 0 && (!progress.request.heals || progress.scannedKeys == 0)
    return mayAwaitQueue && instance.keyQueue.isHealing(flip.current.defaultStore.other) ? .staleKeys : nil
  }

  // MARK: The end

  /// Ends the job, one that has found all keys on the other store after a look whether they are still there: the store
  /// may have been emptied meanwhile.
  private func finish() {
    guard !progress.request.isDryRun, progress.isWhole, progress.unhealed == 0 else { return conclude() }
    // The copies of these may be counted on one store alone.
    let inFlight = instance.databases.all.flatMap(\.stores).reduce(0) { $0 + $1.inFlightCount }
    askForDatabases { [unowned self] found in
      // It may have been paused meanwhile, and looks again afterwards.
      guard progress.state == .running else { return proceed() }
      guard lacksMany(found, inFlight: inFlight) else { return conclude() }
      // A command in flight may have made any number of keys: only a second look tells.
      guard lackedMany else {
        lackedMany = true
        scanPausedUntil = instance.loop.now + DifferenceCandidates.pause
        return proceed()
      }
      let reason = "the other store has fewer keys than the default store: start the job once more"
      progress.failures[reason, default: 0] += 1
      end(.incomplete)
      didAdvance(self)
    }
  }

  /// The share of the default store's keys below which the other store has lost some. Of those that are counted, up to
  /// a quarter may have expired, and are not removed yet.
  private static let leastShare = 0.7
  /// The same for keys that don't expire. Other sidecars may have made some that one store alone has at the moment.
  private static let leastShareOfLasting = 0.99
  /// The keys of a database for which the shares say something, and the lasting ones that it may always lack.
  private static let fewestKeys = 100

  private func lacksMany(_ found: [StoreRole: DatabaseFigures], inFlight: Int) -> Bool {
    guard let expected = found[course.defaultStore], let others = found[course.defaultStore.other] else { return false }
    return expected.databases.contains { number, here in
      guard let here, here.keys >= Self.fewestKeys, let there = others[number] else { return false }
      if Double(there.keys) < Double(here.keys) * Self.leastShare { return true }
      let lacking = here.lastingKeys - there.lastingKeys - inFlight
      return lacking > Self.fewestKeys
        && Double(lacking) > Double(here.lastingKeys) * (1 - Self.leastShareOfLasting)
    }
  }

  /// The keys that may change at each look without being many.
  private static let fewChanging = 100

  /// Whether so many keys changed at each look that the equal ones prove little. A store that gives each key a moment
  /// of expiry that is near would be equal otherwise.
  private var changesHideDifferences: Bool {
    progress.count(.changing) > max(Self.fewChanging, progress.count(.equal))
  }

  private func conclude() {
    if changesHideDifferences {
      progress.failures["more keys were changing than equal: verify again when fewer are written", default: 0] += 1
    }
    let isComplete = progress.unhealed == 0 && progress.failures.isEmpty && progress.count(.uncompared) == 0
    let isVerification = progress.request.kind == .verify
    progress.isVoid = isVerification && instance.epoch != epoch
    end(isComplete ? .complete : .incomplete)
    if isVerification, isComplete, progress.isWhole, !progress.isVoid {
      instance.verified(defaultStore: course.defaultStore)
    }
    didAdvance(self)
  }
}
