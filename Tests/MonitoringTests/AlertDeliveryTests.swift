import Foundation
import TestSupport
import Testing

@Suite("From a store that dies to a notification")
struct AlertDeliveryTests {
  /// The shipped rules and configurations, with everything that waits made short: how often is scraped and evaluated,
  /// how long a condition has to hold, how long Alertmanager gathers alerts. Addresses are those of this test's parts.
  private struct Parts {
    let primary: RedisServer
    let secondary: RedisServer
    let sidecar: SidecarProcess
    let metricsAddress: String
    let webhook: WebhookReceiver
    let alertmanager: AlertmanagerServer
    let prometheus: PrometheusServer

    init() throws {
      secondary = try RedisServer()
      primary = try RedisServer()
      let directory = try TemporaryDirectory()
      sidecar = try SidecarProcess(
        configuration: """
          instances:
            - name: sessions
              listen: "unix:\(directory.path("sessions.sock"))"
              primary: { url: "\(primary.url)" }
              secondary: { url: "\(secondary.url)" }
          """,
        in: directory
      )
      metricsAddress = try sidecar.address(of: "metrics").description
      webhook = try WebhookReceiver()
      alertmanager = try AlertmanagerServer(
        configuration: Repository.prometheusFile("alertmanager.yml")
          .replacing("127.0.0.1:9094", with: webhook.address)
          .replacing(/group_(wait|interval): \w+/) { "group_\($0.1): 1s" }
      )
      prometheus = try PrometheusServer(
        configuration: Repository.prometheusFile("prometheus.yml")
          .replacing("127.0.0.1:9736", with: metricsAddress)
          .replacing("127.0.0.1:9093", with: "127.0.0.1:\(alertmanager.port)")
          .replacing("_interval: 15s", with: "_interval: 1s"),
        files: [
          "recording.rules.yml": Repository.prometheusFile("recording.rules.yml"),
          "alerts.rules.yml": Repository.prometheusFile("alerts.rules.yml")
            .replacing(/for: \d+m/) { _ in "for: 1s" },
        ]
      )
    }

    /// The first notification about an alert in a state.
    func notification(_ alert: String, _ status: String) throws -> WebhookReceiver.Notification {
      let find = {
        webhook.all.first {
          $0.body["status"]?.string == status && $0.body["commonLabels"]?["alertname"]?.string == alert
        }
      }
      try eventually("\(alert) is \(status) at the receiver", within: .seconds(60)) { find() != nil }
      return try #require(find())
    }
  }

  @Test func `a default store that dies reaches the pager, and its return too`() throws {
    let parts = try Parts()
    let isUp = "multistore_store_up{store=\"secondary\"} == 1"
    try eventually("Prometheus has seen the store up") { try !parts.prometheus.query(isUp).isEmpty }
    // On a busy machine a scrape may fail, and that is told as well.
    #expect(!parts.webhook.all.contains { $0.body["commonLabels"]?["alertname"]?.string == "MultiStoreStoreDown" })

    parts.secondary.kill()
    let firing = try parts.notification("MultiStoreStoreDown", "firing")
    #expect(firing.path == "/pager")
    #expect(firing.body["receiver"]?.string == "pager")
    let alert = try #require(firing.body["alerts"]?.elements?.first)
    let labels: [String: JSONValue] = [
      "alertname": .string("MultiStoreStoreDown"), "severity": .string("critical"), "job": .string("multistore"),
      "instance": .string(parts.metricsAddress), "instance_name": .string("sessions"), "store": .string("secondary"),
    ]
    #expect(alert["labels"] == .object(labels))
    #expect(alert["annotations"]?["summary"]?.string == "sessions: the default store (secondary) is down")
    let description = alert["annotations"]?["description"]?.string ?? ""
    #expect(
      description.hasPrefix("The sidecar \(parts.metricsAddress) has had no connection to the secondary store of")
    )
    let link = alert["annotations"]?["runbook_url"]?.string ?? ""
    #expect(link.hasSuffix("/deploy/alerts.md#multistorestoredown"))

    try parts.secondary.restart()
    let resolved = try parts.notification("MultiStoreStoreDown", "resolved")
    #expect(resolved.path == "/pager")
    #expect(resolved.body["commonLabels"]?["store"]?.string == "secondary")
  }
}
