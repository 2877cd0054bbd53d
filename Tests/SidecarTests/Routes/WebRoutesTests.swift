import Foundation
import HTTPServer
import HTTPTestSupport
import Status
import Synchronization
import TestSupport
import Testing

@testable import Sidecar

/// What the probe is to find; set by the test, read on the server's thread.
private final class SharedReadiness: Sendable {
  private let state = Mutex(Readiness.ready)

  var value: Readiness {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

@Suite("Web routes")
struct WebRoutesTests {
  private static let landingPage = LandingPage(
    name: "multistore-exporter",
    version: "1.2.3 <b>",
    description: "Moves an application from one Redis to another & counts.",
    links: [
      LandingPage.Link(address: "https://example.org/?a=\"b\"", text: "Docs", description: "the README"),
      LandingPage.Link(address: "javascript:alert(1)", text: "Bad", description: "never"),
    ]
  )

  private static func server(
    telemetryPath: String = "/metrics",
    readiness: @escaping @Sendable () -> Readiness = { .ready }
  ) throws -> HTTPServer {
    let routes = try WebRoutes(
      telemetryPath: telemetryPath,
      landingPage: landingPage,
      metricsPage: { accept in ("text/plain; version=0.0.4", Array("accept \(accept ?? "none")\n".utf8)) },
      readiness: readiness
    )
    return try .onLoopback(routes.routes, authorization: BearerToken(contentsOfFile: Array("secret\n".utf8)))
  }

  private let authorization = "Authorization: Bearer secret"

  @Test("the metrics page is rendered for the Accept header, and varies with it")
  func page() throws {
    let server = try Self.server()
    let answer = try server.curl("/metrics", "-H", "Accept: application/openmetrics-text", "-H", authorization)
    #expect(answer.status == 200)
    #expect(answer.header("Content-Type") == "text/plain; version=0.0.4")
    #expect(answer.header("Vary") == "Accept")
    #expect(answer.text == "accept application/openmetrics-text\n")
    #expect(try server.curl("/metrics", "-H", "Accept:", "-H", authorization).text == "accept none\n")
  }

  @Test("every page needs the token, one that is not there as well; probes do not")
  func authorizationOfRoutes() throws {
    let server = try Self.server()
    for path in ["/metrics", "/", "/nowhere"] { #expect(try server.curl(path).status == 401, "\(path)") }
    #expect(try server.curl("/nowhere", "-H", authorization).status == 404)
    for path in [WebRoutes.healthyPath, WebRoutes.readyPath] {
      #expect(try server.curl(path).status == 200)
    }
  }

  @Test("readiness names every missing store, and follows what is asked each time")
  func readiness() throws {
    let shared = SharedReadiness()
    let server = try Self.server(readiness: { shared.value })
    #expect(try server.curl("/-/ready").text == "Ready.\n")
    shared.value = .unready([
      UnreadyStore(instance: "sessions", store: "secondary", reason: "connection refused"),
      UnreadyStore(instance: "cache", store: "primary", reason: "wrong password"),
    ])
    let missing = try server.curl("/-/ready")
    #expect(missing.status == 503)
    #expect(
      missing.text
        == "sessions: the secondary store is not there: connection refused\n"
        + "cache: the primary store is not there: wrong password\n"
    )
    shared.value = .shuttingDown
    #expect(try server.curl("/-/ready").status == 503)
    #expect(try server.curl("/-/healthy").text == "Healthy.\n")
  }

  @Test("the landing page links to everything, escapes, and allows only its own style")
  func landingPage() throws {
    let answer = try Self.server(telemetryPath: "/telemetry").curl("/", "-H", authorization)
    #expect(answer.header("Content-Type") == "text/html; charset=utf-8")
    #expect(answer.text.contains("<a href=\"/telemetry\">Metrics</a>"))
    #expect(answer.text.contains("<a href=\"/-/ready\">Readiness</a>"))
    #expect(answer.text.contains("1.2.3 &lt;b&gt;"))
    #expect(answer.text.contains("another &amp; counts."))
    #expect(answer.text.contains("href=\"https://example.org/?a=&quot;b&quot;\""))
    #expect(!answer.text.contains("javascript:"))

    let style = try #require(answer.text.firstMatch(of: /<style>((?s:.*))<\/style>/)).1
    let folder = try TemporaryDirectory()
    try Data(style.utf8).write(to: URL(fileURLWithPath: folder.path("style")))
    let program =
      "import sys,hashlib,base64;print(base64.b64encode(hashlib.sha256(open(sys.argv[1],'rb').read())"
      + ".digest()).decode())"
    let digest = try ChildProcess.run("python3", ["-c", program, folder.path("style")]).output.split(separator: "\n")[0]
    let policy = try #require(answer.header("Content-Security-Policy"))
    #expect(policy.contains("default-src 'none'; style-src 'sha256-\(digest)';"))
  }

  @Test("a telemetry path of / takes the landing page's place")
  func telemetryAtRoot() throws {
    let answer = try Self.server(telemetryPath: "/").curl("/", "-H", authorization)
    #expect(answer.text.hasPrefix("accept "))
  }

  @Test(
    "a telemetry path that cannot be asked for is refused",
    arguments: ["", "metrics", "/-/ready", "/-/healthy", "/a b", "/a?b", "/{name}", "/ä", "/%20", "/status"]
  )
  func badTelemetryPath(path: String) {
    let error = #expect(throws: TelemetryPathError.self) {
      try WebRoutes(
        telemetryPath: path,
        landingPage: Self.landingPage,
        metricsPage: { _ in ("", []) },
        readiness: { .ready }
      )
    }
    #expect(error?.description.contains("the usual one is /metrics") == true)
  }
}
