import HTTPServer
import HTTPTestSupport
import MultiStore
import TestSupport
import Testing

@testable import Sidecar

private let path = "/api/v4/stale/accept"

@Suite("Accepting outdated values over HTTP")
struct AcceptRouteTests {
  private let instance: InstanceFixture
  private let server: HTTPServer

  init() throws {
    instance = try InstanceFixture(staleKeys: [
      .secondary: [StaleKey("a", at: 1), StaleKey("b", at: 2)], .primary: [StaleKey("c", at: 3)],
    ])
    server = try .onLoopback([.acceptStaleKeys(of: [instance.access]), .staleKeys(of: [instance.access])])
  }

  private func staleKeys(of store: String) throws -> [JSONValue] {
    let list = try JSONValue(parsing: try server.curl("/api/v4/stale?store=\(store)").text)
    return list["instances"]?.elements?.first?["stores"]?.elements?.first?["keys"]?.elements ?? []
  }

  @Test func `what was stale on the default store is stale on the other one afterwards`() throws {
    #expect(try staleKeys(of: "secondary").count == 2)
    let answer = try server.curl(path, "-d", "instance=a&who=eve&why=gone")
    #expect(answer.status == 200)
    let accepted = try JSONValue(parsing: answer.text)
    #expect(accepted["store"] == .string("secondary") && accepted["accepted_keys"] == .number(2))
    #expect(try staleKeys(of: "secondary") == [])
    #expect(
      try staleKeys(of: "primary").compactMap { $0["reason"]?.string }.sorted() == ["accepted", "accepted", "timeout"]
    )
    let again = try server.curl(path, "-d", "instance=a&who=eve&why=gone&format=table").text
    #expect(again == "No key is stale on the default store of a, secondary; nothing was changed.\n")
  }

  @Test(arguments: [
    ("instance=a&who=eve", 400, "instance, who and why have to be given once each"),
    ("instance=a&who=eve&why=x&store=primary", 400, "have to be given once each"),
    ("instance=b&who=eve&why=x", 404, "Known instances: a"),
  ])
  func `anything else is refused in words, and changes nothing`(form: String, status: Int, words: String) throws {
    let answer = try server.curl(path, "-d", form)
    #expect(answer.status == status && answer.text.contains(words), "\(answer.text)")
    #expect(try staleKeys(of: "secondary").count == 2)
  }
}
