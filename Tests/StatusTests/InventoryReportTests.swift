import TestSupport
import Testing

@testable import Status

/// Two instances, one of which nobody has used.
extension InventoryReport {
  fileprivate static let example: InventoryReport = {
    let hazard = InventoryCommand.Hazard(name: "script", sentence: "Keys may stay behind: name \"all\" of them.")
    let instances = [
      InstanceInventory(
        instance: "sessions",
        commands: [
          InventoryCommand(
            name: "eval",
            count: 12,
            routing: "dual_written",
            hazard: hazard,
            firstSeenMilliseconds: 1_700_000_000_007,
            lastSeenMilliseconds: 1_700_000_060_250
          ),
          InventoryCommand(
            name: "get",
            count: 123_456,
            routing: "read_with_fallback",
            hazard: nil,
            firstSeenMilliseconds: 1_700_000_000_000,
            lastSeenMilliseconds: 1_700_000_000_000
          ),
        ]
      ),
      InstanceInventory(instance: "cache", commands: []),
    ]
    return InventoryReport(takenMilliseconds: 1_700_000_060_250 + 180_000, instances: instances)
  }()
}

@Suite("Inventory report")
struct InventoryReportTests {
  @Test func `JSON has every command with what becomes of it and what can go wrong`() throws {
    let instances = try #require(try JSONValue(parsing: InventoryReport.example.json)["instances"]?.elements)
    #expect(instances.map { $0["name"]?.string } == ["sessions", "cache"])
    #expect(instances[1]["commands"] == .array([]))
    let commands = try #require(instances[0]["commands"]?.elements)
    #expect(
      commands[0]
        == .object([
          "command": .string("eval"), "count": .number(12), "routing": .string("dual_written"),
          "hazard": .string("script"), "hazard_description": .string("Keys may stay behind: name \"all\" of them."),
          "first_seen_timestamp_seconds": .number(1_700_000_000.007),
          "last_seen_timestamp_seconds": .number(1_700_000_060.25),
        ])
    )
    #expect(commands[1]["hazard"] == .null && commands[1]["hazard_description"] == .null)
  }

  @Test func `a table has its columns under each other, and says what the hazards mean`() {
    #expect(
      InventoryReport.example.text == """
        sessions
        COMMAND   COUNT  ROUTING             HAZARD  FIRST SEEN  LAST SEEN
        eval         12  dual_written        script  4 min ago   3 min ago
        get      123456  read_with_fallback  -       4 min ago   4 min ago

        script: Keys may stay behind: name "all" of them.

        cache
        no command has been seen yet

        """
    )
  }

  @Test(arguments: [(0, "0 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7200, "2 h ago"), (172_800, "2 d ago")])
  func `ages are shown in a unit that fits`(_ seconds: Int64, _ shown: String) {
    let now: Int64 = 1_700_000_000_000
    let command = InventoryCommand(
      name: "get",
      count: 1,
      routing: "sidecar",
      hazard: nil,
      firstSeenMilliseconds: now - seconds * 1000,
      // A clock that was set back must not give an age below zero.
      lastSeenMilliseconds: now + 5000
    )
    let text = InventoryTable(now: now).text([InstanceInventory(instance: "a", commands: [command])])
    #expect(text.contains("  \(shown)") && text.hasSuffix("  0 s ago\n"))
  }
}
