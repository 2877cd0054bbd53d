/// How far every instance is on its way from the old store to the new one: plain values, which the page, the API and
/// the command line all show.
public struct StatusReport: Sendable, Hashable {
  /// The program's version.
  public var version: String
  /// When the program started, in milliseconds since 1970.
  public var startedMilliseconds: Int64
  /// When the figures were taken, in milliseconds since 1970.
  public var takenMilliseconds: Int64
  /// How far back the figures "of late" go, in seconds.
  public var windowSeconds: Double
  /// In the order of the configuration.
  public var instances: [InstanceReport]

  /// A report.
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
}

/// One instance in a ``StatusReport``.
public struct InstanceReport: Sendable, Hashable {
  /// A store, or both of them.
  public enum Target: String, Sendable, Hashable {
    /// The new store.
    case primary
    /// The old store.
    case secondary
    /// Writes: both stores.
    case both
    /// Reads: the new store, and the old one for what that lacks.
    case primaryThenSecondary = "primary_then_secondary"
  }

  /// What is in force, as ``StatusReport`` tells it.
  public struct State: Sendable, Hashable {
    /// How far a migration is. Raw values are those of `multistore_effective_state`.
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

    /// How far the migration is.
    public var stage: Stage
    /// There is one store only, and no migration.
    public var isPassThrough: Bool
    /// Both stores are one server and database, so that the flags count as off.
    public var storesAreSame: Bool
    /// Where reads go.
    public var reads: Target
    /// Where writes go.
    public var writes: Target
    /// Whose replies clients get.
    public var replies: Target
    /// Since when that is so, in milliseconds since 1970.
    public var sinceMilliseconds: Int64

    /// What is in force.
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
    /// What it says.
    public var isOn: Bool

    /// A flag.
    public init(name: String, isOn: Bool) {
      self.name = name
      self.isOn = isOn
    }
  }

  /// Something in the inventory that wants a look.
  public struct Hazard: Sendable, Hashable {
    /// One word from the inventory's list.
    public var name: String
    /// What goes wrong and what to do.
    public var sentence: String
    /// The commands that have it.
    public var commands: [String]
    /// How often clients sent them.
    public var count: Double

    /// A hazard.
    public init(name: String, sentence: String, commands: [String], count: Double) {
      self.name = name
      self.sentence = sentence
      self.commands = commands
      self.count = count
    }
  }

  /// The instance's name.
  public var name: String
  /// What is in force.
  public var state: State
  /// Its two flags; none for an instance that has one store.
  public var flags: [Flag]
  /// Clients that are connected.
  public var clients: Double
  /// The old store, then the new one if there is one.
  public var stores: [StoreReport]
  /// The last minutes.
  public var history: HistoryReport
  /// What clients have sent that wants a look, worst first.
  public var hazards: [Hazard]
  /// What would come next; nil for an instance that has one store.
  public var nextStep: NextStep?

  /// An instance.
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
