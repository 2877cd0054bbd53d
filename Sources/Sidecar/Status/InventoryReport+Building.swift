internal import JSONLog
internal import MultiStore
internal import Status

extension InventoryReport {
  /// Reads the instances' inventories. Any thread.
  init(_ inventories: [CommandInventory]) {
    self.init(
      takenMilliseconds: LogTime.now().millisecondsSinceEpoch,
      instances: inventories.map { inventory in
        InstanceInventory(instance: inventory.instanceName, commands: inventory.entries.map(InventoryCommand.init))
      }
    )
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
