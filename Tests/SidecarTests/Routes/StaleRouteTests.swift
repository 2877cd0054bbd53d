import HTTPServer
import HTTPTestSupport
import MultiStore
import TestSupport
import Testing

@testable import Sidecar

private let path = "/api/v4/stale"

@Suite("Stale keys over HTTP")
struct StaleRouteTests {
  private let instance: InstanceFixture
  private let server: HTTPServer

  init() throws {
    instance = try InstanceFixture(
      staleKeys: [
        .primary: [
          StaleKey("second", at: 2000, .dualWriteOff), StaleKey("first", at: 1000),
          StaleKey("third\u{1b}[2J", at: 3000),
        ]
      ]
    )
    server = try .onLoopback([.staleKeys(of: [instance.access])])
  }

  private func stores(_ query: String = "") throws -> [JSONValue] {
    let report = try JSONValue(parsing: server.curl(path + query).text)
    #expect(report["instances"]?.elements?.map { $0["name"] } == [.string("a")])
    return try #require(report["instances"]?.elements?.first?["stores"]?.elements)
  }

  @Test func `the keys that have been stale for longest come first, by their hash alone`() throws {
    let stores = try stores()
    #expect(stores.map { $0["store"]?.string } == ["secondary", "primary"])
    #expect(stores.map { $0["default"] } == [.bool(true), .bool(false)])
    #expect(stores.map { $0["stale_keys"] } == [.number(0), .number(3)])
    let keys = try #require(stores[1]["keys"]?.elements)
    // printf %s first | sha256sum | cut -c-16
    #expect(keys[0]["key_sha256"] == .string("a7937b64b8caa58f"))
    #expect(keys.map { $0["since_timestamp_seconds"] } == [.number(1), .number(2), .number(3)])
    #expect(keys.map { $0["reason"]?.string } == ["timeout", "dual_write_off", "timeout"])
    #expect(keys.allSatisfy { $0["database"] == .number(0) && $0["key"] == nil })
  }

  @Test func `a limit says how many more there are, and keys are shown if asked for`() throws {
    let stores = try stores("?limit=2&show_keys=true&store=primary&instance=a")
    #expect(stores.map { $0["store"]?.string } == ["primary"])
    #expect(stores[0]["more"] == .number(1) && stores[0]["stale_keys"] == .number(3))
    #expect(stores[0]["keys"]?.elements?.map { $0["key"]?.string } == ["first", "second"])
    let table = try server.curl("\(path)?format=table&show_keys=true&limit=3").text
    #expect(table.hasPrefix("a, secondary (default): 0 stale keys\n\na, primary: 3 stale keys\nKEY "))
    #expect(table.contains("\nthird\\x1b[2J ") && !table.contains("more"))
    let hashed = try server.curl("\(path)?format=table&limit=1").text
    #expect(hashed.contains("\na7937b64b8caa58f ") && hashed.contains("\nand 2 more; --limit shows more of them\n"))
    #expect(hashed.contains("printf %s KEY | sha256sum | cut -c-16\n") && !hashed.contains("\nfirst "))
  }

  @Test(arguments: [
    ("?instance=b", 404, "Known instances: a"), ("?limit=0", 400, "limit has to be a whole number from 1 to 100000."),
    ("?limit=x", 400, "limit"), ("?store=third", 400, "store has to be primary or secondary."),
    ("?show_keys=1", 400, "show_keys has to be true or false."),
    ("?format=xml", 400, "format has to be json or table."),
    ("?keys=all", 400, "and no others."),
  ])
  func `what is not understood is refused in words`(query: String, status: Int, words: String) throws {
    let answer = try server.curl(path + query)
    #expect(answer.status == status && answer.text.contains(words))
  }

  @Test func `an instance that does not answer is told after two seconds`() throws {
    let stuck = InstanceAccess(status: instance.access.status) { _ in }
    let server = try HTTPServer.onLoopback([.staleKeys(of: [stuck])])
    let answer = try server.curl(path)
    #expect(answer.status == 503)
    #expect(answer.text.hasPrefix("The instance a did not answer in time"))
  }
}
