import HTTPServer
import HTTPTestSupport
import Status
import TestSupport
import Testing

@testable import Sidecar

@Suite("Status over HTTP")
struct StatusRoutesTests {
  private func server(token: Bool = false) throws -> HTTPServer {
    let routes = StatusRoutes { .example }
    let authorization = token ? try BearerToken(contentsOfFile: Array("secret\n".utf8)) : nil
    return try .onLoopback(routes.page + [routes.api], authorization: authorization)
  }

  @Test func `what is not known is refused in words, and nothing can be changed`() throws {
    let server = try server()
    let unknown = try server.curl("/api/v4/status?instance=nobody")
    #expect(unknown.status == 404 && unknown.text.contains("sessions cache"))
    #expect(try server.curl("/api/v4/status?format=xml").status == 400)
    let one = try server.curl("/api/v4/status?format=table&instance=cache").text
    #expect(one.hasPrefix("cache: One store, no migration, for 0 s\n") && !one.contains("sessions"))
    #expect(try JSONValue(parsing: server.curl("/api/v4/status").text)["instances"]?.elements?.count == 2)
    for path in ["/status", "/api/v4/status", "/status.js"] {
      #expect(try server.curl(path, "-X", "POST", "-d", "value=true").status == 405)
      #expect(try server.curl(path, "-X", "DELETE").status == 405)
    }
  }

  @Test func `the page may load its own style, script and icon, and nothing else`() throws {
    let server = try server()
    let page = try server.curl("/status")
    #expect(page.status == 200 && page.header("Content-Type") == "text/html; charset=utf-8")
    let policy = try #require(page.header("Content-Security-Policy"))
    #expect(policy.hasPrefix("default-src 'none'; style-src 'self'; script-src 'self';"))
    #expect(!policy.contains("unsafe") && !policy.contains("*") && policy.contains("frame-ancestors 'none'"))
    #expect(page.header("Cache-Control") == "no-store" && page.header("X-Content-Type-Options") == "nosniff")
    for match in page.text.matches(of: /(?:src|href)="([^"#]+)"/) {
      let address = String(match.1)
      #expect(!address.contains(":") && !address.hasPrefix("//"), "\(address)")
    }
    let types = ["css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"]
    for (ending, type) in types {
      let part = try server.curl("/status.\(ending)")
      #expect(part.status == 200 && part.header("Content-Type") == type && !part.text.isEmpty)
    }
    #expect(!page.text.contains("style=") && !page.text.contains("onclick"))
  }

  @Test func `all of it asks for the token where there is one`() throws {
    let server = try server(token: true)
    for path in ["/status", "/status.css", "/api/v4/status"] {
      #expect(try server.curl(path).status == 401)
      #expect(try server.curl(path, "-H", "Authorization: Bearer secret").status == 200)
    }
  }
}

extension StatusReport {
  /// Two instances of which little is known.
  fileprivate static let example = StatusReport(
    version: "1.2.3",
    startedMilliseconds: 1_700_000_000_000,
    takenMilliseconds: 1_700_000_000_250,
    windowSeconds: 900,
    instances: ["sessions", "cache"].map { name in
      InstanceReport(
        name: name,
        state: .init(
          stage: .oldOnly,
          isPassThrough: true,
          reads: .secondary,
          writes: .secondary,
          replies: .secondary,
          sinceMilliseconds: 1_700_000_000_000
        ),
        flags: [],
        clients: 0,
        stores: [],
        history: HistoryReport(intervalSeconds: 15, capacity: 60, points: [], totals: .init()),
        hazards: [],
        nextStep: nil
      )
    }
  )
}
