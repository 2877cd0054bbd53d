import HTTPServer
import HTTPTestSupport
import MultiStore
import TestSupport
import Testing

@testable import Sidecar

private let path = "/api/v4/trust"

@Suite("Trust over HTTP")
struct TrustRouteTests {
  private let instance: InstanceFixture
  private let server: HTTPServer

  init() throws {
    instance = try InstanceFixture(trust: [.primary: .lost(.uncleanStop, sinceMilliseconds: 1_795_895_465_000)])
    server = try .onLoopback([.trust(in: [instance.access])])
  }

  private var isTrusted: Bool { instance.access.status.trust(of: .primary).isTrusted }

  @Test(arguments: [
    ("", ["-d", "instance=a&store=primary&who=eve&why=compared"]),
    ("?instance=a&store=primary&who=eve&why=compared", ["-X", "POST"]),
    (
      "",
      [
        "-H", "Content-Type: application/json", "-d",
        #"{"instance": "a", "store": "primary", "who": "eve", "why": "\"compared\" \u00fc"}"#,
      ]
    ),
  ])
  func `a store is trusted again by form, query or JSON`(query: String, arguments: [String]) throws {
    #expect(!isTrusted)
    let answer = try server.curl(path + query, arguments: arguments)
    #expect(answer.status == 200)
    let change = try JSONValue(parsing: answer.text)
    #expect(change["changed"] == .bool(true) && change["trusted"] == .bool(true))
    #expect(change["was_not_trusted_reason"] == .string("unclean_stop"))
    #expect(change["was_not_trusted_since_timestamp_seconds"] == .number(1_795_895_465))
    #expect(isTrusted)
    let again = try server.curl(path + query, arguments: arguments)
    #expect(again.status == 200)
    #expect(try JSONValue(parsing: again.text)["changed"] == .bool(false))
  }

  @Test func `for a terminal the answer is a sentence`() throws {
    let form = "instance=a&store=primary&who=eve&why=compared&format=table"
    let answer = try server.curl(path, "-d", form).text
    #expect(answer.hasPrefix("The primary store of a is trusted again. It was not trusted since 2026-11-28 19:51:05"))
    #expect(
      try server.curl(path, "-d", form).text == "The primary store of a is trusted already; nothing was changed.\n"
    )
  }

  @Test(arguments: [
    ("instance=a&store=primary&who=eve", 400, "have to be given once each"),
    ("instance=a&store=primary&who=eve&why=", 400, "have to be given once each"),
    ("instance=a&store=primary&who=eve&why=x&why=y", 400, "have to be given once each"),
    ("instance=a&store=primary&who=eve&why=x&other=y", 400, "have to be given once each"),
    ("instance=a&store=primary&who=eve&why=x&format=xml", 400, "format has to be json or table."),
    ("instance=b&store=primary&who=eve&why=x", 404, "Known instances: a"),
    ("instance=a&store=third&who=eve&why=x", 404, "Its stores: primary secondary"),
    ("instance=a&store=secondary&who=eve&why=x", 409, "is the default store"),
  ])
  func `anything else is refused in words, and changes nothing`(form: String, status: Int, words: String) throws {
    let answer = try server.curl(path, "-d", form)
    #expect(answer.status == status && answer.text.contains(words), "\(answer.text)")
    #expect(!isTrusted)
  }

  @Test func `an instance that does not answer has not been changed`() throws {
    let stuck = InstanceAccess(status: instance.access.status) { _ in }
    let server = try HTTPServer.onLoopback([.trust(in: [stuck])])
    let answer = try server.curl(path, "-d", "instance=a&store=primary&who=eve&why=x")
    #expect(answer.status == 503 && answer.text.contains("Nothing was changed."))
    #expect(!isTrusted)
  }
}
