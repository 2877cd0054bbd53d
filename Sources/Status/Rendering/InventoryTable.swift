/// Renders inventories for a terminal: a table for each instance, then the meaning of its hazards.
struct InventoryTable {
  private static let titles = ["COMMAND", "COUNT", "ROUTING", "HAZARD", "FIRST SEEN", "LAST SEEN"]
  /// The columns that are aligned to the right.
  private static let numbers: Set = [1]

  /// The present time, in milliseconds since 1970; ages are relative to it.
  let now: Int64

  /// Returns the text, with a line end at its end.
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

  /// Returns the time since a moment, in its largest whole unit.
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
