/// Inventories as text for a terminal: a table for each instance, then what its hazards mean.
struct InventoryTable {
  private static let titles = ["COMMAND", "COUNT", "ROUTING", "HAZARD", "FIRST SEEN", "LAST SEEN"]
  /// The columns that end at the same place instead of beginning there: numbers.
  private static let numbers: Set = [1]

  /// The time that ages are counted from, in milliseconds since 1970.
  let now: Int64

  /// The text, with a line end at its end.
  func text(_ inventories: [InstanceInventory]) -> String {
    inventories.map(text).joined(separator: "\n")
  }

  private func text(_ inventory: InstanceInventory) -> String {
    var text = "\(inventory.instance)\n"
    guard !inventory.commands.isEmpty else { return text + "no command has been seen yet\n" }
    let rows = inventory.commands.map { command in
      [
        command.name, "\(command.count)", command.routing, command.hazard?.name ?? "-",
        age(command.firstSeenMilliseconds), age(command.lastSeenMilliseconds),
      ]
    }
    text += TextTable.aligned([Self.titles] + rows, numbers: Self.numbers)
    var explained: Set<InventoryCommand.Hazard> = []
    let hazards = inventory.commands.compactMap(\.hazard).filter { explained.insert($0).inserted }
    if !hazards.isEmpty { text += "\n" }
    for hazard in hazards { text += "\(hazard.name): \(hazard.sentence)\n" }
    return text
  }

  /// How long ago something was, in its largest whole unit.
  private func age(_ milliseconds: Int64) -> String {
    let seconds = max(0, now - milliseconds) / 1000
    switch seconds {
    case ..<120: return "\(seconds) s ago"
    case ..<7200: return "\(seconds / 60) min ago"
    case ..<172_800: return "\(seconds / 3600) h ago"
    default: return "\(seconds / 86_400) d ago"
    }
  }
}
