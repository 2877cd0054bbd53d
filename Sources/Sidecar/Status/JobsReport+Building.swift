internal import JSONLog
internal import MultiStore
internal import Status

extension JobsReport {
  /// Reports the last jobs of instances, as of the last quarter of a second.
  ///
  /// - Parameters:
  ///   - kind: The kind of job; nil for both.
  ///   - showsKeys: Whether keys are shown by their names too.
  init(of statuses: [InstanceStatus], kind: KeyJobKind?, showsKeys: Bool) {
    self.init(
      takenMilliseconds: LogTime.now().millisecondsSinceEpoch,
      jobs: statuses.flatMap { status in
        status.jobs.filter { kind == nil || $0.request.kind == kind }
          .map { Job($0, of: status.instanceName, showsKeys: showsKeys) }
      }
    )
  }
}

extension JobsReport.Job {
  init(_ progress: KeyJobProgress, of instance: String, showsKeys: Bool) {
    let request = progress.request
    self.init(
      instance: instance,
      kind: request.kind.rawValue,
      state: State(progress.state),
      defaultStore: progress.defaultStore.label,
      startedMilliseconds: progress.startedMilliseconds,
      rate: request.rate,
      effectiveRate: progress.effectiveRate,
      scannedKeys: progress.scannedKeys,
      copiedBytes: progress.copiedBytes
    )
    (pattern, type, isDryRun, heals) = (request.pattern, request.type, request.isDryRun, request.heals)
    for (role, version) in progress.versions { versions[role.label] = version }
    (endedMilliseconds, isVoid) = (progress.endedMilliseconds, progress.isVoid)
    (expectedKeys, share) = (progress.expectedKeys, progress.share)
    counts = request.kind.results.map { result in
      let isDifference = KeyJobResult.differences.contains(result)
      return JobsReport.Count(result: result.rawValue, keys: progress.count(result), isDifference: isDifference)
    }
    failures = progress.failures.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { JobsReport.Count(result: $0.key, keys: $0.value) }
    keys = progress.findings.map { JobsReport.Key($0, showsName: showsKeys) }
    largeKeys = progress.largeKeys.map { JobsReport.Key($0, showsName: showsKeys) }
  }
}

extension JobsReport.Job.State {
  fileprivate init(_ state: KeyJobState) {
    switch state {
    case .running: self.init(word: "running", detail: nil)
    case .waiting(let obstacle): self.init(word: "waiting", detail: obstacle.rawValue)
    case .paused(let pause): self.init(word: "paused", detail: pause.rawValue)
    case .ended(let outcome): self.init(word: "ended", detail: outcome.rawValue)
    }
  }
}

extension JobsReport.Key {
  fileprivate init(_ finding: KeyFinding, showsName: Bool) {
    self.init(
      digest: KeyName.digest(of: finding.key),
      name: showsName ? KeyName.text(of: finding.key) : nil,
      database: finding.database,
      result: finding.result.rawValue,
      detail: finding.detail
    )
  }
}
