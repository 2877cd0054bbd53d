internal import EventLoop
internal import Hiredis

/// The scan of a job: one question at a time, while the pages before it are in work.
extension KeyJob {
  /// Asks both stores which databases they have.
  func survey() {
    askForDatabases { [unowned self] found in
      // Changes until now concern no key that is looked at from here on.
      epoch = instance.epoch
      course.surveyed(found.mapValues { $0.databases.mapValues { $0?.keys } })
      if let checkpoint { resume(at: checkpoint) }
      noteUnknownDatabases(found)
      progress.expectedKeys = course.expectedKeys
      for role in StoreRole.allCases { progress.versions[role] = instance.status.serverVersion(of: role) }
      proceed()
    }
  }

  /// Notes that databases may be left out, since a store does not tell which ones have keys.
  private func noteUnknownDatabases(_ found: [StoreRole: DatabaseFigures]) {
    guard instance.configuration.servesOtherDatabases else { return }
    for role in course.roles where found[role]?.areKnown != true {
      let reason =
        "the \(role.label) store does not tell which databases have keys: allow INFO to its user, or name the database "
        + "in the URLs of both stores"
      progress.failures[reason, default: 0] += 1
    }
  }

  /// Asks both stores which databases they have. If they can't tell now, or the job begins again meanwhile, `then` is
  /// not called, and the job proceeds later.
  func askForDatabases(then: @escaping ([StoreRole: DatabaseFigures]) -> Void) {
    isScanning = true
    let run = course.run
    DatabaseSurvey.begin(of: instance) { [weak self] found in
      guard let self, isCurrent(run) else { return }
      isScanning = false
      if let found { return then(found) }
      scanPausedUntil = instance.loop.now + JobPage.retryPause
      proceed()
    }
  }

  /// Continues where the last process was. Another process of the scanned store has other cursors, and one of the other
  /// store may lack the keys that were copied: then the job begins again.
  private func resume(at checkpoint: KeyJobCheckpoint) {
    self.checkpoint = nil
    if let position = checkpoint.position, checkpoint.runIDs == instance.runIDs { return course.resume(at: position) }
    foundKeys = [:]
    let state = progress.state
    progress = KeyJobProgress(progress.request, defaultStore: progress.defaultStore, now: progress.startedMilliseconds)
    progress.state = state
  }

  /// Goes past databases that a store refuses: its number of databases is lower, or its user may not select them.
  /// Clients have none of those that the default store refuses, and no key is missing if it has none there.
  func skipRefusedDatabases() {
    while let place = course.place, let database = instance.databases[place.database],
      let store = database.stores.first(where: \.refusesDatabase)
    {
      if store.role != course.defaultStore {
        progress.failures["the \(store.role.label) store refuses database \(place.database)", default: 0] += 1
      } else if course.mayHoldKeys(place.database) {
        let reason = "the \(store.role.label) store refuses database \(place.database), in which it has keys"
        progress.failures[reason] = 1
      }
      course.skipPlace()
    }
  }

  /// Whether the next page may be scanned. The keys that differed are bounded, except for those of pages in work.
  func mayScan(now: UInt64) -> Bool {
    !isScanning && pages.count < JobPage.limit && !candidates.isFull && pace.nextAt <= now && scanPausedUntil <= now
  }

  func scan(_ place: ScanCourse.Place) {
    guard let database = instance.reach(place.database) else {
      progress.failures[Self.unreachable(place.database), default: 0] += 1
      return course.skipPlace()
    }
    isScanning = true
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
      isScanning = false
      switch answer {
      case .page(let keys, let next):
        // Keys that don't match cost the server little.
        pace.began(keys: max(keys.count, isFiltered ? 1 : count), now: begunAt)
        progress.scannedKeys += keys.count
        pageBegan(keys, at: place, next: next)
      case .failed: scanPausedUntil = loop.now + JobPage.retryPause
      case .refused(let text):
        progress.failures["SCAN: \(text)", default: 0] += 1
        end(.incomplete)
        return didAdvance(self)
      }
      proceed()
    }
  }

  /// The reason why the keys of a database were not looked at.
  static func unreachable(_ database: Int) -> String { "database \(database) can't be opened: too many are in use" }

  private func pageBegan(_ keys: [[UInt8]], at place: ScanCourse.Place, next: [UInt8]) {
    // It is examined unless the job was paused meanwhile.
    let page = JobPage(course.pageBegan(next: next), at: place, keys)
    if keys.isEmpty { pageEnded(page) } else { pages.append(page) }
  }

  func pageEnded(_ page: JobPage) {
    pages.removeAll { $0 === page }
    course.pageEnded(page.id)
    didAdvance(self)
  }
}
