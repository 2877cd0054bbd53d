import Foundation
import TestSupport
import Testing

/// The documents' picture of a migration without Grafana: Prometheus' own page with the fallbacks going to rest.
@Suite("Picture of the fallback counter")
struct FallbackPictureTests {
  /// Where new pictures for the documents are to go; without it none are taken.
  static let folder = ProcessInfo.processInfo.environment["MULTISTORE_PICTURES"]
  /// In this time nearly all keys are written again.
  static let duration = Duration.seconds(100)
  static let keys = 800
  static let largestPicture = 200_000

  @Test(.enabled(if: folder != nil, "it takes two minutes: MULTISTORE_PICTURES names a folder to draw it into"))
  func `fallbacks go to rest while keys are written`() throws {
    let folder = try #require(Self.folder)
    let stores = (primary: try RedisServer(), secondary: try RedisServer())
    let directory = try TemporaryDirectory()
    let sidecar = try SidecarProcess(
      configuration: """
        instances:
          - name: sessions
            listen: "unix:\(directory.path("sessions.sock"))"
            primary: { url: "\(stores.primary.url)" }
            secondary: { url: "\(stores.secondary.url)" }
        """,
      in: directory
    )
    let old = try stores.secondary.client()
    _ = try old.pipeline((0..<Self.keys).map { ["SET", "session:\($0)", "value"] })
    _ = try old.pipeline((0..<Self.keys).map { ["HSET", "cart:\($0)", "item", "1"] })
    try sidecar.setFlag(MonitoredMigration.dualFlag, true)
    let prometheus = try PrometheusServer(configuration: PrometheusServer.configuration(scraping: sidecar))
    try eventually("the sidecar has been scraped") { try prometheus.query("multistore_build_info").count == 1 }
    try migrate(through: sidecar.client(instance: "sessions"))

    let page = try Chromium().page(width: 1100, height: 830)
    try page.open(Self.graph(of: prometheus))
    try eventually("the graph is drawn") {
      try page.evaluate("!!document.querySelector('.rickshaw_graph path')").bool == true
    }
    let picture = try page.screenshot()
    #expect(picture.count < Self.largestPicture)
    try Data(picture).write(to: URL(fileURLWithPath: folder).appendingPathComponent("prometheus-fallback.png"))
  }

  /// Clients that read evenly and write now and then what they have read, as sessions and carts are.
  private func migrate(through client: RESPClient) throws {
    let end = ContinuousClock.now + Self.duration
    while ContinuousClock.now < end {
      let key = Int.random(in: 0..<Self.keys)
      _ = try client.command("GET", "session:\(key)")
      if Int.random(in: 0..<2) == 0 { _ = try client.command("SET", "session:\(key)", "value") }
      _ = try client.command("HGETALL", "cart:\(key)")
      if Int.random(in: 0..<4) == 0 { _ = try client.command("HSET", "cart:\(key)", "item", "2") }
      // A pause between two visits: warming up is to take as long as the picture shows.
      poll(nil, 0, 10)
    }
  }

  private static func graph(of prometheus: PrometheusServer) -> String {
    let expression =
      "sum by (command) (rate(gitlab_redis_multi_store_read_fallback_total{command=~\"get|hgetall\"}[15s]))"
    let encoded = expression.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    return
      "http://127.0.0.1:\(prometheus.port)/classic/graph?g0.expr=\(encoded)&g0.tab=0&g0.range_input=2m&g0.step_input=1"
  }
}
