internal import Glibc

/// The admin API's inventory: which commands clients have sent, what becomes of them, and what can go wrong.
///
/// `?instance=NAME` shows one instance alone; `?format=table` answers with text for a terminal instead of JSON, so that
/// the command line and curl show the same.
public struct InventoryRoutes: Sendable {
  /// The path of the inventory.
  public static let path = "/api/v4/inventory"

  /// What to give to ``HTTPServer``.
  public let routes: [HTTPRoute]

  /// The routes.
  ///
  /// - Parameter reporting: asked on the server's thread.
  public init(_ reporting: any InventoryReporting) {
    routes = [HTTPRoute([.get], Self.path, isShared: true) { Self.show($0, reporting) }]
  }

  private static func show(_ request: HTTPRequest, _ reporting: any InventoryReporting) -> HTTPResponse {
    let inventories = reporting.inventories()
    return ReportQuery.answer(request, instances: inventories.map(\.instance)) { query in
      let shown = inventories.filter { query.shows($0.instance) }
      return switch query.format {
      case .json: .json("{\"instances\":\(JSONText.array(shown.map(json)))}\n")
      case .table: .plain(InventoryTable(now: Self.nowMilliseconds).text(shown))
      }
    }
  }

  private static var nowMilliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  private static func json(_ inventory: InstanceInventory) -> String {
    JSONText.object([
      "name": JSONText.quote(inventory.instance), "commands": JSONText.array(inventory.commands.map(json)),
    ])
  }

  private static func json(_ command: InventoryCommand) -> String {
    JSONText.object([
      "command": JSONText.quote(command.name), "count": "\(command.count)",
      "routing": JSONText.quote(command.routing), "hazard": JSONText.quote(command.hazard?.name),
      "hazard_description": JSONText.quote(command.hazard?.sentence),
      "first_seen_timestamp_seconds": JSONText.seconds(milliseconds: command.firstSeenMilliseconds),
      "last_seen_timestamp_seconds": JSONText.seconds(milliseconds: command.lastSeenMilliseconds),
    ])
  }
}
