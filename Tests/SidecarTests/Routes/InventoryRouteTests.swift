import HTTPServer
import HTTPTestSupport
import Status
import Testing

@testable import Sidecar

@Suite("Inventory over HTTP")
struct InventoryRouteTests {
  private let server: HTTPServer

  init() throws {
    let instances = ["sessions", "cache"].map { InstanceInventory(instance: $0, commands: []) }
    let report = InventoryReport(takenMilliseconds: 1_700_000_000_000, instances: instances)
    server = try .onLoopback([.report(AdminPath.inventory) { report }])
  }

  @Test func `one instance can be asked for, and what is not known is refused in words`() throws {
    let all = try server.curl("/api/v4/inventory")
    #expect(all.status == 200 && all.header("Content-Type") == "application/json")
    let one = try server.curl("/api/v4/inventory?instance=cache&format=json")
    #expect(one.text == "{\"instances\":[{\"name\":\"cache\",\"commands\":[]}]}\n")
    let table = try server.curl(AdminPath.report(AdminPath.inventory, instance: "cache", format: .table))
    #expect(table.text == "cache\nno command has been seen yet\n")
    let unknown = try server.curl("/api/v4/inventory?instance=nobody")
    #expect(unknown.status == 404 && unknown.text.contains("sessions cache"))
    #expect(try server.curl("/api/v4/inventory?format=xml").status == 400)
    #expect(try server.curl("/api/v4/inventory?instances=cache").status == 400)
    #expect(try server.curl("/api/v4/inventory", "-X", "POST", "-d", "x=1").status == 405)
  }
}
