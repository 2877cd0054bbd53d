/// The commands that clients have sent, by instance.
public struct InventoryReport: InstancesReport {
  /// The time at which the counts were read, in milliseconds since 1970.
  public var takenMilliseconds: Int64
  /// The instances, in the order of the configuration.
  public var instances: [InstanceInventory]

  /// Creates a report.
  public init(takenMilliseconds: Int64, instances: [InstanceInventory]) {
    self.takenMilliseconds = takenMilliseconds
    self.instances = instances
  }

  /// The instances' names.
  public var names: [String] { instances.map(\.instance) }

  /// Returns the report on one instance.
  public func showing(only name: String) -> InventoryReport {
    var report = self
    report.instances.removeAll { $0.instance != name }
    return report
  }

  /// The report as a JSON object.
  public var json: String { JSONText.object(["instances": JSONText.array(instances.map(\.json))]) }

  /// The report for a terminal.
  public var text: String { InventoryTable(now: takenMilliseconds).text(instances) }
}

/// The commands that the clients of one instance have sent.
public struct InstanceInventory: Sendable, Hashable {
  /// The instance's name.
  public let instance: String
  /// The commands, in the order in which they are to be shown.
  public let commands: [InventoryCommand]

  /// Creates an inventory.
  public init(instance: String, commands: [InventoryCommand]) {
    self.instance = instance
    self.commands = commands
  }

  fileprivate var json: String {
    JSONText.object(["name": JSONText.quote(instance), "commands": JSONText.array(commands.map(\.json))])
  }
}

/// One command of an instance's inventory.
public struct InventoryCommand: Sendable, Hashable {
  /// A known risk of a command.
  public struct Hazard: Sendable, Hashable {
    /// One word from a closed list.
    public let name: String
    /// The effect and the remedy.
    public let sentence: String

    /// Creates a hazard.
    public init(name: String, sentence: String) {
      self.name = name
      self.sentence = sentence
    }
  }

  /// The command's lower-case name, such as `config|get`.
  public let name: String
  /// The number of times that clients have sent it.
  public let count: UInt64
  /// Its routing during dual writes, in one word.
  public let routing: String
  /// Its known risk; nil for none.
  public let hazard: Hazard?
  /// The time at which it was first sent, in milliseconds since 1970.
  public let firstSeenMilliseconds: Int64
  /// The time at which it was last sent, in milliseconds since 1970.
  public let lastSeenMilliseconds: Int64

  /// Creates an entry.
  public init(
    name: String,
    count: UInt64,
    routing: String,
    hazard: Hazard?,
    firstSeenMilliseconds: Int64,
    lastSeenMilliseconds: Int64
  ) {
    self.name = name
    self.count = count
    self.routing = routing
    self.hazard = hazard
    self.firstSeenMilliseconds = firstSeenMilliseconds
    self.lastSeenMilliseconds = lastSeenMilliseconds
  }

  fileprivate var json: String {
    JSONText.object([
      "command": JSONText.quote(name), "count": "\(count)", "routing": JSONText.quote(routing),
      "hazard": JSONText.quote(hazard?.name), "hazard_description": JSONText.quote(hazard?.sentence),
      "first_seen_timestamp_seconds": JSONText.seconds(milliseconds: firstSeenMilliseconds),
      "last_seen_timestamp_seconds": JSONText.seconds(milliseconds: lastSeenMilliseconds),
    ])
  }
}
