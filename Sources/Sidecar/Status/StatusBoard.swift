internal import JSONLog
internal import MultiStore
internal import PrometheusExposition
internal import Status
internal import Synchronization

/// The recent figures of every instance, read from the metrics as a scrape reads them, so that the status page and
/// Prometheus can't disagree. No instance's loop is involved. Any thread.
final class StatusBoard: Sendable {
  /// The sources of an instance's figures besides the metrics.
  struct Source: Sendable {
    let status: InstanceStatus
    let flags: FeatureFlags
    let inventory: CommandInventory
    /// The stores as the configuration has them, by their roles.
    let stores: [StoreRole: StoreConfiguration]
  }

  private struct State {
    var histories: [SampleHistory]
    var dualWrites: [DualWritePeriod]
    /// The times at which the states began, as of the last check, in milliseconds since 1970.
    var stateBegins: [Int64?]
    /// The judgements on the last sample.
    var nextSteps: [NextStep?]
  }

  private let sources: [Source]
  private let registry: PrometheusRegistry
  private let startedMilliseconds = LogTime.now().millisecondsSinceEpoch
  private let state: Mutex<State>

  /// Creates a board and takes its first sample.
  init(_ sources: [Source], registry: PrometheusRegistry) {
    self.sources = sources
    self.registry = registry
    state = Mutex(
      State(
        histories: sources.map { _ in SampleHistory() },
        dualWrites: sources.map { _ in DualWritePeriod() },
        stateBegins: sources.map { _ in nil },
        nextSteps: sources.map { _ in nil }
      )
    )
    noteStates()
    sample()
    registry.collect { [weak self] in self?.write(into: &$0) }
  }

  /// Samples the metrics of instances whose state has just begun: earlier counts say nothing about it.
  func noteStates() {
    let begins = sources.map { Optional($0.status.effective.sinceMilliseconds) }
    guard state.withLock({ $0.stateBegins != begins }) else { return }
    let moment = Moment(registry)
    state.withLock { state in
      for (index, source) in sources.enumerated() where state.stateBegins[index] != begins[index] {
        state.histories[index].beginState(moment.sample(of: source))
      }
      state.stateBegins = begins
    }
  }

  /// Samples the metrics of every instance.
  func sample() {
    let moment = Moment(registry)
    state.withLock { state in
      for (index, source) in sources.enumerated() {
        state.histories[index].append(moment.sample(of: source))
        let effective = source.status.effective
        state.dualWrites[index].note(
          effective.routing,
          sinceMilliseconds: effective.sinceMilliseconds,
          lastRestartMilliseconds: source.status.lastRestartMilliseconds
        )
        let report = InstanceReport(source, moment, state.histories[index], state.dualWrites[index])
        state.nextSteps[index] = report.nextStep
      }
    }
  }

  /// Returns the report of the samples and of the present metrics.
  func report() -> StatusReport {
    // Losses and failures after this report count for the state that it shows.
    noteStates()
    let moment = Moment(registry)
    let (histories, dualWrites) = state.withLock { ($0.histories, $0.dualWrites) }
    return StatusReport(
      version: Sidecar.version,
      startedMilliseconds: startedMilliseconds,
      takenMilliseconds: moment.wallMilliseconds,
      windowSeconds: SampleHistory.length / .seconds(1),
      instances: sources.indices.map { index in
        InstanceReport(sources[index], moment, histories[index], dualWrites[index])
      }
    )
  }

  /// Adds the last judgements to a scrape.
  private func write(into writer: inout SampleWriter) {
    for (source, step) in zip(sources, state.withLock { $0.nextSteps }) {
      guard let step else { continue }
      let label = ("instance_name", source.status.instanceName)
      writer.gauge(SidecarMetrics.nextStepReady.name, labels: [label], step.answer == .yes ? 1 : 0)
      for criterion in step.criteria {
        writer.gauge(
          SidecarMetrics.nextStepCriterionMet.name,
          labels: [label, ("criterion", criterion.name.rawValue)],
          criterion.result == .met ? 1 : 0
        )
      }
    }
  }
}

/// The metrics at one moment.
struct Moment {
  let metrics: MetricsReading
  let at = ContinuousClock.now
  let wallMilliseconds = LogTime.now().millisecondsSinceEpoch

  init(_ registry: PrometheusRegistry) {
    metrics = registry.reading()
  }

  /// Returns the counts of one instance.
  func sample(of source: StatusBoard.Source) -> SampleHistory.Sample {
    SampleHistory.Sample(at: at, counts: InstanceCounts(metrics, instance: source.status.instanceName))
  }
}
