internal import HTTPServer
internal import MultiStore

/// The instances' inventories as the admin API shows them. Any thread.
struct InventoryReport: InventoryReporting {
  let inventoriesByInstance: [CommandInventory]

  func inventories() -> [InstanceInventory] {
    inventoriesByInstance.map { inventory in
      InstanceInventory(instance: inventory.instanceName, commands: inventory.entries.map(InventoryCommand.init))
    }
  }
}

extension InventoryCommand {
  fileprivate init(_ entry: InventoryEntry) {
    self.init(
      name: entry.command,
      count: entry.count,
      routing: entry.routing.rawValue,
      hazard: entry.hazard.map { Hazard(name: $0.rawValue, sentence: $0.sentence) },
      firstSeenMilliseconds: entry.firstSeenMilliseconds,
      lastSeenMilliseconds: entry.lastSeenMilliseconds
    )
  }
}
