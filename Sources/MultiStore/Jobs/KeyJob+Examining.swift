internal import CoreMetrics
internal import EventLoop

/// The work of a job on the keys of a page, and its results.
extension KeyJob {
  /// Begins an attempt to copy or to compare the keys of a page.
  func examine(_ page: JobPage) {
    guard let database = instance.reach(page.place.database) else {
      let reason = Self.unreachable(page.place.database)
      for key in page.keys { progress.add(.failed, key, database: page.place.database, reason) }
      return pageEnded(page)
    }
    page.dueAt = nil
    page.attemptsMade += 1
    switch progress.request.kind {
    case .backfill: copy(page, in: database)
    case .verify where page.place.role == course.defaultStore: compare(page, in: database)
    case .verify: lookForExtraKeys(of: page, in: database)
    }
  }

  /// Ends an attempt. Keys that were not reached are tried again.
  private func examined(_ page: JobPage, left: [[UInt8]]) {
    page.keys = left
    if !left.isEmpty, page.attemptsMade < JobPage.attempts {
      page.dueAt = instance.loop.now + JobPage.retryPause
    } else {
      for key in left { progress.add(.failed, key, database: page.place.database, "no answer from a store") }
      pageEnded(page)
    }
    proceed()
  }

  // MARK: Backfill

  private func copy(_ page: JobPage, in database: Database) {
    let run = course.run
    let copying = BackfillPage(
      in: database,
      isDryRun: progress.request.isDryRun,
      largeKeyBytes: instance.configuration.largeKeyBytes,
      budget: budget
    ) { [weak self] result in
      guard let self, isCurrent(run) else { return }
      page.copying = nil
      note(result, in: database)
      examined(page, left: result.left)
    }
    page.copying = copying
    copying.begin(with: page.keys)
  }

  private func note(_ result: BackfillPage.Result, in database: Database) {
    progress.add(.present, result.present)
    progress.add(.vanished, result.vanished)
    progress.add(.copied, result.copied)
    foundKeys[database.number, default: 0] += result.present + (progress.request.isDryRun ? 0 : result.copied)
    progress.copiedBytes += result.copiedBytes
    for (key, reason) in result.failed { progress.add(.failed, key, database: database.number, reason) }
    for (key, bytes) in result.large { progress.addLarge(key, database: database.number, bytes: bytes) }
  }

  // MARK: Verification

  private func compare(_ page: JobPage, in database: Database) {
    let run = course.run
    FullComparison(in: database, expectsEqual: true) { [weak self] compared in
      guard let self, isCurrent(run) else { return }
      examined(page, left: note(compared, in: database))
    }
    .begin(with: page.keys)
  }

  /// Notes the result of the first look at keys.
  ///
  /// - Returns: the keys that were not reached.
  private func note(_ compared: [ComparedKey], in database: Database) -> [[UInt8]] {
    let now = instance.loop.now
    var left: [[UInt8]] = []
    var equal = 0
    for one in compared {
      switch one.outcome {
      case .equal: equal += 1
      case .different: candidates.add(one.key, database: database.number, expected: one.expected, now: now)
      case .disturbed: candidates.add(one.key, database: database.number, expected: nil, now: now)
      case .unknown: progress.add(.uncompared, one.key, database: database.number, one.expected?.type ?? "")
      case .failed: left.append(one.key)
      }
    }
    if equal > 0 {
      progress.add(.equal, equal)
      foundKeys[database.number, default: 0] += equal
    }
    return left
  }

  private func lookForExtraKeys(of page: JobPage, in database: Database) {
    let run = course.run
    KeyPresence.ask(database.store(course.defaultStore), about: page.keys) { [weak self] answers in
      guard let self, isCurrent(run) else { return }
      let now = instance.loop.now
      var left: [[UInt8]] = []
      for (key, answer) in zip(page.keys, answers) {
        switch answer {
        case .number(0): candidates.add(key, database: database.number, expected: nil, now: now)
        case .number: break
        case .failed(let failure) where failure.isRefusal:
          progress.add(.failed, key, database: database.number, failure.exception.message)
        case .failed: left.append(key)
        }
      }
      examined(page, left: left)
    }
  }

  /// Looks again at keys that differed, if some are due.
  func lookAgain() {
    guard !isLookingAgain else { return }
    let due = candidates.takeDue(now: instance.loop.now, atMost: KeyComparison.maxKeys)
    guard let first = due.first, let database = instance.reach(first.database) else { return }
    isLookingAgain = true
    let run = course.run
    FullComparison(in: database, expectsEqual: false) { [weak self] compared in
      guard let self, isCurrent(run) else { return }
      isLookingAgain = false
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
    case .undecided: return
    case .unhealed:
      instance.foundLastingDifference()
      let role = course.defaultStore.other
      progress.failures["not mended within a minute: does the \(role.label) store refuse the copies?", default: 0] += 1
    case .equal: progress.add(.equal)
    case .healed: progress.add(.healed)
    case .changing:
      guard let store = database.stores.first(where: { $0.stale.isKnown(key.span) }) else {
        return progress.add(.changing, key, database: number)
      }
      progress.add(.failed, key, database: number, "stale on the \(store.role.label) store, and not copied in time")
    case .uncompared: progress.add(.uncompared, key, database: number, compared.expected?.type ?? "")
    case .failed: progress.add(.failed, key, database: number, "no answer from a store")
    case .different(let difference):
      progress.add(KeyJobResult(difference), key, database: number, compared.detail)
      instance.reporter.found(difference, key: key, by: "verify")
      if database.quietKeys.wasNeverNoted(key.span) {
        instance.metrics.jobs.unnamedKeys.increment()
        instance.inventory.foundUnnamedKey()
      }
      guard progress.request.heals, course.defaultStore == instance.defaultRole else {
        return instance.foundLastingDifference()
      }
      // The queue copies the key, or removes it.
      database.store(course.defaultStore.other).markStale(key: key, because: .difference)
      instance.keyQueue.wake()
    }
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
