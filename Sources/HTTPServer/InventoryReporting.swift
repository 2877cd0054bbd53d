/// One command of an instance's inventory, as the admin API shows it.
public struct InventoryCommand: Sendable, Hashable {
  /// The command's lower-case name, such as `config|get`.
  public let name: String
  /// How often clients have sent it.
  public let count: UInt64
  /// What becomes of it while dual writes are on.
  public let routing: String
  /// What can go wrong with it, in one word and in one sentence; nil if nothing is known that could.
  public let hazard: Hazard?
  /// When it was seen first, in milliseconds since 1970.
  public let firstSeenMilliseconds: Int64
  /// When it was seen last, in milliseconds since 1970.
  public let lastSeenMilliseconds: Int64

  /// What can go wrong with a command.
  public struct Hazard: Sendable, Hashable {
    /// One word from a closed list.
    public let name: String
    /// What goes wrong and what to do.
    public let sentence: String

    /// A hazard.
    public init(name: String, sentence: String) {
      self.name = name
      self.sentence = sentence
    }
  }

  /// One command.
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
}

/// The commands that the clients of one instance have sent.
public struct InstanceInventory: Sendable, Hashable {
  /// The instance's name.
  public let instance: String
  /// In the order in which they are to be shown.
  public let commands: [InventoryCommand]

  /// An inventory.
  public init(instance: String, commands: [InventoryCommand]) {
    self.instance = instance
    self.commands = commands
  }
}

/// What the admin API shows of the instances' commands. Called on the server's thread.
public protocol InventoryReporting: Sendable {
  /// Every instance, in the order in which it is to be shown.
  func inventories() -> [InstanceInventory]
}
