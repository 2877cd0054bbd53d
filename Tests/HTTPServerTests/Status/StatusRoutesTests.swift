import TestSupport
import Testing

@testable import HTTPServer

@Suite("Status over HTTP")
struct StatusRoutesTests {
  private func server(_ report: StatusReport = .example, token: Bool = false) throws -> HTTPServer {
    let routes = StatusRoutes(FixedStatus(report))
    let authorization = token ? try BearerToken(contentsOfFile: Array("secret\n".utf8)) : nil
    return try .onLoopback(routes.page + routes.api, authorization: authorization)
  }

  @Test func `JSON has the state, the stores, the last minutes, the hazards and every criterion`() throws {
    let answer = try server().curl("/api/v4/status")
    #expect(answer.status == 200 && answer.header("Content-Type") == "application/json")
    let json = try JSONValue(parsing: answer.text)
    #expect(json["version"] == .string("1.2.3") && json["window_seconds"] == .number(900))
    #expect(json["taken_timestamp_seconds"] == .number(1_700_000_000.25))
    let instances = try #require(json["instances"]?.elements)
    #expect(instances.map { $0["name"]?.string } == ["sessions", "cache"])
    let sessions = instances[0]
    #expect(
      sessions["state"]
        == .object([
          "state": .number(1), "title": .string("Dual writes, the old store is the default"),
          "pass_through": .bool(false),
          "same_store": .bool(false), "reads": .string("primary_then_secondary"), "writes": .string("both"),
          "replies": .string("secondary"), "since_timestamp_seconds": .number(1_699_996_400.25),
        ])
    )
    let stores = try #require(sessions["stores"]?.elements)
    #expect(stores.map { $0["store"]?.string } == ["secondary", "primary"])
    #expect(stores[0]["mean_latency_seconds"] == .number(0.000_085) && stores[0]["keys"] == .number(1_234_567))
    #expect(stores[1]["up"] == .bool(false) && stores[1]["problem"] == .string("connection refused"))
    #expect(stores[1]["mean_latency_seconds"] == .null && stores[1]["keys"] == .null)
    #expect(sessions["history"]?["fallback_ratio"] == .array([.number(0.5), .number(0.0005)]))
    #expect(sessions["history"]?["diff_ratio"] == .array([.null, .number(0.002)]))
    #expect(sessions["hazards"]?.elements?.first?["commands"] == .array([.string("eval"), .string("evalsha")]))
    let step = try #require(sessions["next_step"])
    #expect(step["step"] == .string("default_on") && step["safe"] == .string("not_yet"))
    #expect(step["criteria"]?.elements?.map { $0["result"]?.string } == ["met", "not_met", "unknown"])
    #expect(instances[1]["next_step"] == .null && instances[1]["feature_flags"] == .array([]))
  }

  @Test func `text for a terminal has the answer with its reasons, and the stores beside each other`() throws {
    let text = try server().curl("/api/v4/status?format=table&instance=sessions").text
    #expect(
      text.hasPrefix(
        """
        sessions: Dual writes, the old store is the default, for 1 h
        Reads go to the new store, and to the old one for what that lacks; writes go to both, and the old \
        one's reply counts.

        Safe to make the new store the default? Not yet.
          met      Stores up       both are up
          not met  Warmed up       1 h
                                   wanted: 3 h
                                   Wait for 2 h.
          unknown  Number of keys  not known
                                   wanted: 99 %
                                   Ask for the keys.
        The next step, when all is met:
          multistore-exporter feature set use_primary_store_as_default_for_sessions true

        STORES                         OLD STORE (DEFAULT)                 NEW STORE
        Health                         up                                  down: connection refused

        """
      )
    )
    #expect(text.contains("\nHazards: script (eval, evalsha)\n"))
    var wordy = StatusReport.example
    let advice = Array(repeating: "word", count: 40).joined(separator: " ")
    wordy.instances[0].nextStep?.criteria[1].advice = advice
    let lines = try server(wordy).curl("/api/v4/status?format=table").text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 120 })
    #expect(lines.count { $0.hasSuffix(" word") } == 3)
    let both = try server().curl("/api/v4/status?format=table").text
    #expect(both.contains("\n\ncache: One store, no migration, for 2 h 5 min\n"))
  }

  @Test func `what is not known is refused in words, and nothing can be changed`() throws {
    let server = try server()
    let unknown = try server.curl("/api/v4/status?instance=nobody")
    #expect(unknown.status == 404 && unknown.text.contains("sessions cache"))
    #expect(try server.curl("/api/v4/status?format=xml").status == 400)
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
