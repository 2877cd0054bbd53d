internal import BasicContainers
public import CoreMetrics
public import RESP
internal import Synchronization

/// The commands that the clients of one instance have sent, for an operator to check before the first flag is flipped.
///
/// Any thread may read it. It is updated from the counts within a quarter of a second.
public final class CommandInventory: Sendable {
  /// The instance's name.
  public let instanceName: String
  /// Keyed by the place at which they are counted, so that an entry replaces its predecessor.
  private let published = Mutex<[Int: InventoryEntry]>([:])

  init(instanceName: String) {
    self.instanceName = instanceName
  }

  /// The commands that have been seen: those with hazards first, worst first, and among equals the most frequent first.
  public var entries: [InventoryEntry] {
    published.withLock { Array($0.values) }.sorted { $0.sortKey < $1.sortKey }
  }

  fileprivate func publish(_ entries: [(place: Int, entry: InventoryEntry)]) {
    published.withLock { published in
      for (place, entry) in entries { published[place] = entry }
    }
  }
}

extension InventoryEntry {
  private static let ranks = Dictionary(uniqueKeysWithValues: zip(CommandHazard.allCases, 0...))

  fileprivate var sortKey: (Int, UInt64, String, String) {
    let rank = hazard.flatMap { Self.ranks[$0] } ?? Self.ranks.count
    return (rank, UInt64.max - count, command, routing.rawValue)
  }
}

/// Counts an instance's commands on its loop: one array, no lock, nothing allocated. Several `MultiStore`s that serve
/// one instance may share one of these.
public final class InventoryCounts {
  /// The published state of one place.
  private struct Published {
    var counter: Counter
    var hazard: CommandHazard?
    let firstSeen: Int64
    var count: UInt64
  }

  /// The inventory for other threads.
  public let inventory: CommandInventory
  private let configuration: MultiStoreConfiguration
  private let factory: any MetricsFactory
  /// Two places for each line of the command table: as the table classes it, and as its options do, or without keys.
  private var counts = UniqueArray<UInt64>(repeating: 0, count: 2 * CommandTable.all.count)
  private var published: [Int: Published] = [:]
  /// Whether a verification has found keys different that no command has named.
  private var hasUnnamedKeys = false
  /// Whether that was published.
  private var hadUnnamedKeys = false

  /// Counts of no commands.
  ///
  /// - Parameters:
  ///   - configuration: the instance's, which determines the routing of a command.
  ///   - metricsFactory: makes the counters; a command has one from the first time that it is seen.
  public init(configuration: MultiStoreConfiguration, metricsFactory: any MetricsFactory) {
    self.configuration = configuration
    factory = metricsFactory
    inventory = CommandInventory(instanceName: configuration.name)
  }

  /// Counts one command that a client sent. On the instance's loop.
  ///
  /// - Parameter byOptions: true when the options gave the command another class than the table has for it, or when it
  ///   is a script that names no key; see ``CommandSpec/isCountedApart(_:as:)``.
  @inline(__always)
  public func count(_ id: CommandID, byOptions: Bool) {
    counts[2 * Int(id.rawValue) + (byOptions ? 1 : 0)] &+= 1
  }

  /// Notes that a verification has found a key different that no command has named since scripts ran.
  func foundUnnamedKey() { hasUnnamedKeys = true }

  /// Publishes the counts since the last time, to the metrics and to other threads. On the instance's loop.
  ///
  /// - Parameter now: the time in milliseconds since 1970.
  func publish(now: Int64) {
    var changes: [(place: Int, entry: InventoryEntry)] = []
    // Scripts have another hazard from then on.
    let renews = hasUnnamedKeys && !hadUnnamedKeys
    hadUnnamedKeys = hasUnnamedKeys
    for place in counts.indices where counts[place] != 0 {
      let count = counts[place]
      let isOld = count == published[place]?.count
      guard !isOld || renews && CommandTable.all[place / 2].changesByScript else { continue }
      changes.append((place, publish(count, at: place, now: now)))
    }
    if !changes.isEmpty { inventory.publish(changes) }
  }

  private func publish(_ count: UInt64, at place: Int, now: Int64) -> InventoryEntry {
    let spec = CommandTable.all[place / 2]
    let commandClass = place.isMultiple(of: 2) ? spec.commandClass : spec.classByOptions
    let routing = InventoryRouting(spec, as: commandClass, in: configuration)
    let hazard = hazard(of: spec, as: commandClass, isApart: !place.isMultiple(of: 2))
    var state =
      published[place]
      ?? Published(counter: counter(of: spec, routing, hazard), hazard: hazard, firstSeen: now, count: 0)
    if state.hazard != hazard { (state.counter, state.hazard) = (counter(of: spec, routing, hazard), hazard) }
    state.counter.increment(by: Int64(clamping: count &- state.count))
    state.count = count
    published[place] = state
    return InventoryEntry(
      command: spec.name.description,
      count: count,
      routing: routing,
      hazard: hazard,
      firstSeenMilliseconds: state.firstSeen,
      lastSeenMilliseconds: now
    )
  }

  /// - Parameter isApart: whether it is a script that names no key, or a command that has its class by its options.
  private func hazard(of spec: CommandSpec, as commandClass: CommandClass, isApart: Bool) -> CommandHazard? {
    guard spec.changesByScript else { return spec.hazard(as: commandClass) }
    if hasUnnamedKeys { return .unnamedKeys }
    if configuration.scripts == .runOnBoth { return nil }
    return isApart ? .scriptWithoutKeys : .script
  }

  private func counter(of spec: CommandSpec, _ routing: InventoryRouting, _ hazard: CommandHazard?) -> Counter {
    Counter(
      label: MultiStoreMetrics.inventory.name,
      dimensions: [
        ("command", spec.label), ("instance_name", configuration.name), ("routing", routing.rawValue),
        ("hazard", hazard?.rawValue ?? Self.noHazard),
      ],
      factory: factory
    )
  }

  /// The label `hazard` of a command that has none: Prometheus treats an empty label as absent.
  private static let noHazard = "none"
}
