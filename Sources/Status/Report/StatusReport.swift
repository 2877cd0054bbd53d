/// The progress of every instance's migration from the old store to the new one. The page, the API and the command
/// line show the same values.
public struct StatusReport: InstancesReport {
  /// The program's version.
  public var version: String
  /// The time at which the program started, in milliseconds since 1970.
  public var startedMilliseconds: Int64
  /// The time at which the figures were taken, in milliseconds since 1970.
  public var takenMilliseconds: Int64
  /// The length of the window of recent figures, in seconds.
  public var windowSeconds: Double
  /// The instances, in the order of the configuration.
  public var instances: [InstanceReport]

  /// Creates a report.
  public init(
    version: String,
    startedMilliseconds: Int64,
    takenMilliseconds: Int64,
    windowSeconds: Double,
    instances: [InstanceReport]
  ) {
    self.version = version
    self.startedMilliseconds = startedMilliseconds
    self.takenMilliseconds = takenMilliseconds
    self.windowSeconds = windowSeconds
    self.instances = instances
  }

  /// The instances' names.
  public var names: [String] { instances.map(\.name) }

  /// Returns the report on one instance.
  public func showing(only name: String) -> StatusReport {
    var report = self
    report.instances.removeAll { $0.name != name }
    return report
  }

  /// The report for a terminal.
  public var text: String { StatusText(report: self).text }

  /// The report as a page for a browser. It loads `status.css`, `status.js` and `status.svg` from its own folder:
  /// ``StatusStyle/css``, ``StatusScript/javaScript`` and ``StatusStyle/icon``.
  public var page: HTMLDocument {
    HTMLDocument(html: StatusPage(report: self).html.markup, contentSecurityPolicy: StatusPage.contentSecurityPolicy)
  }
}

/// One instance in a ``StatusReport``.
public struct InstanceReport: Sendable, Hashable {
  /// One store or both.
  public enum Target: String, Sendable, Hashable {
    /// The new store.
    case primary
    /// The old store.
    case secondary
    /// Writes: both stores.
    case both
    /// Reads: the new store, and the old one for keys that the new one lacks.
    case primaryThenSecondary = "primary_then_secondary"
  }

  /// The effective routing of an instance.
  public struct State: Sendable, Hashable {
    /// The stages of a migration. Raw values are those of `multistore_effective_state`.
    public enum Stage: Int, Sendable, Hashable, CaseIterable {
      /// The old store alone is in use.
      case oldOnly = 0
      /// Both are written, and the old one is the default.
      case dualOld
      /// Both are written, and the new one is the default.
      case dualNew
      /// The new store alone is in use.
      case newOnly
    }

    /// The stage of the migration.
    public var stage: Stage
    /// Whether the instance has one store only, and no migration.
    public var isPassThrough: Bool
    /// Whether both stores are one server and database; then the flags count as off.
    public var storesAreSame: Bool
    /// The target of reads.
    public var reads: Target
    /// The target of writes.
    public var writes: Target
    /// The store whose replies clients get.
    public var replies: Target
    /// The beginning of this state, in milliseconds since 1970.
    public var sinceMilliseconds: Int64

    /// Creates a state.
    public init(
      stage: Stage,
      isPassThrough: Bool = false,
      storesAreSame: Bool = false,
      reads: Target,
      writes: Target,
      replies: Target,
      sinceMilliseconds: Int64
    ) {
      self.stage = stage
      self.isPassThrough = isPassThrough
      self.storesAreSame = storesAreSame
      self.reads = reads
      self.writes = writes
      self.replies = replies
      self.sinceMilliseconds = sinceMilliseconds
    }
  }

  /// A feature flag.
  public struct Flag: Sendable, Hashable {
    /// The full name.
    public var name: String
    /// Whether it is on.
    public var isOn: Bool

    /// Creates a flag.
    public init(name: String, isOn: Bool) {
      self.name = name
      self.isOn = isOn
    }
  }

  /// A hazard in the inventory that has to be examined before the first step.
  public struct Hazard: Sendable, Hashable {
    /// One word from the inventory's list.
    public var name: String
    /// The effect and the remedy.
    public var sentence: String
    /// The commands that have this hazard.
    public var commands: [String]
    /// The number of times that clients sent them.
    public var count: Double

    /// Creates a hazard.
    public init(name: String, sentence: String, commands: [String], count: Double) {
      self.name = name
      self.sentence = sentence
      self.commands = commands
      self.count = count
    }
  }

  /// The instance's name.
  public var name: String
  /// The effective routing.
  public var state: State
  /// Its two flags; none for an instance that has one store.
  public var flags: [Flag]
  /// The number of connected clients.
  public var clients: Double
  /// The old store, then the new one if there is one.
  public var stores: [StoreReport]
  /// The figures of the recent window.
  public var history: HistoryReport
  /// The last backfill and the last verification.
  public var jobs: [JobsReport.Job] = []
  /// The time at which a verification has found both stores equal, in milliseconds since 1970; nil if none has, or if
  /// something happened since that makes it worthless.
  public var verifiedMilliseconds: Int64?
  /// Whether a backfill has copied all keys of the old store to the new one, and no store was restarted since.
  public var isBackfilled = false
  /// Hazards among the commands that clients sent, worst first.
  public var hazards: [Hazard]
  /// The next step of the migration; nil for an instance that has one store.
  public var nextStep: NextStep?

  /// Creates an instance's report.
  public init(
    name: String,
    state: State,
    flags: [Flag],
    clients: Double,
    stores: [StoreReport],
    history: HistoryReport,
    hazards: [Hazard],
    nextStep: NextStep?
  ) {
    self.name = name
    self.state = state
    self.flags = flags
    self.clients = clients
    self.stores = stores
    self.history = history
    self.hazards = hazards
    self.nextStep = nextStep
  }
}
