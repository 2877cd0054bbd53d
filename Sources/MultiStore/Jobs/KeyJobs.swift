internal import Logging

/// The jobs of an instance: at most one that has not ended, and the last of each kind. Loop-confined.
final class KeyJobs {
  /// The time between two records of a job's progress, in nanoseconds.
  private static let recordPause: UInt64 = 1_000_000_000

  private unowned let instance: Instance
  private var jobs: [KeyJobKind: KeyJob] = [:]
  private var published: [KeyJobKind: KeyJobProgress] = [:]
  private var recordedAt: UInt64 = 0
  private var recordedStates: [KeyJobKind: KeyJobState] = [:]

  init(of instance: Instance) {
    self.instance = instance
  }

  /// The progress of the last job of each kind.
  var progress: [KeyJobProgress] { KeyJobKind.allCases.compactMap { jobs[$0]?.progress } }

  func start(_ request: KeyJobRequest, who: String) throws(KeyJobRefusal) {
    guard instance.hasPrimary else { throw .passThrough }
    guard !instance.storesAreSame else { throw .sameStore }
    if let kind = KeyJobKind.allCases.first(where: { jobs[$0]?.progress.state.hasEnded == false }) { throw .busy(kind) }
    // A flag that was just set is applied soon, and the job waits for that.
    let isDual = instance.flags.state.dualWrite || instance.routingState.flip.current.isDual
    if request.writes, !isDual { throw .dualWriteOff }
    if request.heals, instance.configuration.keysPerSecond == 0 { throw .noKeyWork }
    log("Job started", request.kind, ["who": "\(who)", "rate": .stringConvertible(request.rate)])
    let job = KeyJob(request, of: instance) { [unowned self] in didAdvance($0) }
    jobs[request.kind] = job
    didAdvance(job)
    job.proceed()
    publish()
  }

  func change(_ kind: KeyJobKind, _ change: KeyJobChange, who: String) throws(KeyJobRefusal) {
    guard let job = jobs[kind], !job.progress.state.hasEnded else { throw .notRunning(kind) }
    try job.change(change)
    publish()
    log("Job changed", kind, ["who": "\(who)", "change": "\(change.word)"])
  }

  /// Restores the jobs of the last process.
  func restore(_ checkpoints: [KeyJobKind: KeyJobCheckpoint]) {
    for (kind, checkpoint) in checkpoints {
      let job = KeyJob(checkpoint, of: instance) { [unowned self] in didAdvance($0) }
      jobs[kind] = job
      recordedStates[kind] = checkpoint.progress.state
      didAdvance(job)
    }
  }

  /// Takes the next steps, and publishes the progress. Called periodically.
  func proceed() {
    guard !jobs.isEmpty else { return }
    for job in jobs.values { job.proceed() }
    publish()
  }

  /// Whether a job has found keys on the other store, or has copied them there, and counts.
  var haveFoundKeys: Bool { !counting.isEmpty }

  /// Returns how many keys such a job has found in a database. One that is under way has not reached all of them.
  func foundKeys() -> (_ database: Int) -> Int {
    let counting = counting
    let isAll = counting.contains { $0.progress.isBackfilled }
    let counts = counting.map(\.foundKeys)
    return { number in isAll ? .max : counts.lazy.compactMap { $0[number] }.max() ?? 0 }
  }

  /// The jobs of which that holds.
  private var counting: [KeyJob] { jobs.values.filter { $0.progress.hasFoundKeys && !$0.progress.isVoid } }

  /// Notes that keys may differ which no verification has seen: one that has ended counts no more.
  func keysMayDiffer() {
    guard let job = jobs[.verify], job.progress.state.hasEnded, !job.progress.isVoid else { return }
    job.endCountsNoMore()
    record(.verify, job)
  }

  /// Handles that a store may have lost keys.
  func storeMayHaveLostKeys() {
    for (kind, job) in jobs {
      job.storeMayHaveLostKeys()
      // At once: a job that has ended is not recorded again, and the next process knows the server's new run ID.
      record(kind, job)
    }
  }

  func defaultStoreMoved() {
    for job in jobs.values { job.defaultStoreMoved() }
  }

  func close() {
    for (kind, job) in jobs {
      job.close()
      if !job.progress.state.hasEnded { record(kind, job) }
    }
  }

  private func didAdvance(_ job: KeyJob) {
    let kind = job.progress.request.kind
    let now = instance.loop.now
    let isNew = recordedStates[kind] != job.progress.state
    if isNew || now >= recordedAt + Self.recordPause { record(kind, job) }
    guard isNew, case .ended(let outcome) = job.progress.state else { return }
    publish()
    report(job.progress, outcome)
  }

  private func record(_ kind: KeyJobKind, _ job: KeyJob) {
    recordedAt = instance.loop.now
    recordedStates[kind] = job.progress.state
    instance.recorder?.append(.job(job.makeCheckpoint()))
  }

  private func publish() {
    let progress = jobs.mapValues(\.progress)
    guard progress != published else { return }
    for (kind, job) in progress { instance.metrics.jobs.publish(job, since: published[kind]) }
    published = progress
    instance.status.set(progress)
  }

  private func report(_ progress: KeyJobProgress, _ outcome: KeyJobOutcome) {
    var metadata: Logger.Metadata = ["outcome": "\(outcome.rawValue)"]
    for result in KeyJobResult.allCases where progress.count(result) > 0 {
      metadata[result.rawValue] = .stringConvertible(progress.count(result))
    }
    log("Job ended", progress.request.kind, metadata, isProblem: outcome == .incomplete)
  }

  private func log(_ message: Logger.Message, _ kind: KeyJobKind, _ more: Logger.Metadata, isProblem: Bool = false) {
    var metadata = more
    metadata["instance_name"] = "\(instance.configuration.name)"
    metadata["job"] = "\(kind.rawValue)"
    instance.logger.log(level: isProblem ? .error : .notice, message, metadata: metadata)
  }
}

extension KeyJobChange {
  fileprivate var word: String {
    switch self {
    case .pause: "pause"
    case .resume: "resume"
    case .cancel: "cancel"
    case .rate(let rate): "rate \(rate)"
    }
  }
}
