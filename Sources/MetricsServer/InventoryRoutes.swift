internal import Glibc

/// The admin API's inventory: which commands clients have sent, what becomes of them, and what can go wrong.
///
/// `?instance=NAME` shows one instance alone; `?format=table` answers with text for a terminal instead of JSON, so that
/// the command line and curl show the same.
public struct InventoryRoutes: Sendable {
  /// The path of the inventory.
  public static let path = "/api/v4/inventory"

  /// How an inventory is shown. Raw values are values of the parameter `format`.
  public enum Format: String, Sendable, CaseIterable {
    /// For programs.
    case json
    /// For a terminal.
    case table
  }

  /// What to give to ``HTTPServer``.
  public let routes: [HTTPRoute]

  /// The path with its query, for a client.
  public static func path(instance: String?, format: Format) -> String {
    let instance = instance.map { "&instance=\(PercentEncoding.encode($0))" } ?? ""
    return "\(path)?format=\(format.rawValue)\(instance)"
  }

  /// The routes.
  ///
  /// - Parameter reporting: asked on the server's thread.
  public init(_ reporting: any InventoryReporting) {
    routes = [HTTPRoute([.get], Self.path) { Self.show($0, reporting) }]
  }

  private static func show(_ request: HTTPRequest, _ reporting: any InventoryReporting) -> HTTPResponse {
    var format = Format.json
    var inventories = reporting.inventories()
    for field in request.query {
      switch field.name {
      case "format":
        guard let known = Format(rawValue: field.value) else {
          return .text("format has to be \(Format.allCases.map(\.rawValue).joined(separator: " or ")).", status: 400)
        }
        format = known
      case "instance":
        let known = inventories.map(\.instance)
        inventories.removeAll { $0.instance != field.value }
        guard !inventories.isEmpty else {
          return .text("There is no such instance. Known instances: \(known.joined(separator: " "))", status: 404)
        }
      default:
        return .text("The inventory takes the parameters instance and format, and no others.", status: 400)
      }
    }
    switch format {
    case .json: return .json("{\"instances\":[\(inventories.map(json).joined(separator: ","))]}\n")
    case .table:
      let table = InventoryTable(now: Self.nowMilliseconds).text(inventories)
      return .bytes(Array(table.utf8), contentType: "text/plain; charset=utf-8")
    }
  }

  private static var nowMilliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  private static func json(_ inventory: InstanceInventory) -> String {
    let commands = inventory.commands.map(json).joined(separator: ",")
    return "{\"name\":\(JSONText.quote(inventory.instance)),\"commands\":[\(commands)]}"
  }

  private static func json(_ command: InventoryCommand) -> String {
    let hazard = command.hazard.map { JSONText.quote($0.name) } ?? "null"
    let sentence = command.hazard.map { JSONText.quote($0.sentence) } ?? "null"
    return """
      {"command":\(JSONText.quote(command.name)),"count":\(command.count),\
      "routing":\(JSONText.quote(command.routing)),"hazard":\(hazard),"hazard_description":\(sentence),\
      "first_seen_timestamp_seconds":\(seconds(command.firstSeenMilliseconds)),\
      "last_seen_timestamp_seconds":\(seconds(command.lastSeenMilliseconds))}
      """
  }

  /// Seconds with three digits behind the point, out of whole milliseconds.
  private static func seconds(_ milliseconds: Int64) -> String {
    let fraction = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
  }
}
