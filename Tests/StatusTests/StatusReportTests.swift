import TestSupport
import Testing

@testable import Status

@Suite("Status report")
struct StatusReportTests {
  @Test func `JSON has the state, the stores, the last minutes, the hazards and every criterion`() throws {
    let json = try JSONValue(parsing: StatusReport.example.json)
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
    #expect(stores[0]["trusted"] == .null && stores[0]["not_trusted_reason"] == .null)
    #expect(stores[1]["trusted"] == .bool(false) && stores[1]["not_trusted_reason"] == .string("unclean_stop"))
    #expect(stores[1]["not_trusted_since_timestamp_seconds"] == .number(1_795_895_465))
    #expect(stores[1]["stale_keys"] == .number(5) && stores[1]["oldest_stale_key_seconds"] == .number(320))
    #expect(sessions["history"]?["fallback_ratio"] == .array([.number(0.5), .number(0.0005)]))
    #expect(sessions["history"]?["diff_ratio"] == .array([.null, .number(0.002)]))
    #expect(sessions["hazards"]?.elements?.first?["commands"] == .array([.string("eval"), .string("evalsha")]))
    let step = try #require(sessions["next_step"])
    #expect(step["step"] == .string("default_on") && step["safe"] == .string("not_yet"))
    #expect(step["criteria"]?.elements?.map { $0["result"]?.string } == ["met", "not_met", "unknown"])
    #expect(instances[1]["next_step"] == .null && instances[1]["feature_flags"] == .array([]))
  }

  @Test func `text for a terminal has the answer with its reasons, and the stores beside each other`() {
    let text = StatusReport.example.showing(only: "sessions").text
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
    #expect(text.contains("not since 2026-11-28 19:51:05 UTC: unclean_stop\n"))
    #expect(text.contains("5, the oldest for 5 min\n"))
    #expect(text.contains("\nHazards: script (eval, evalsha)\n"))
    var wordy = StatusReport.example
    let advice = Array(repeating: "word", count: 40).joined(separator: " ")
    wordy.instances[0].nextStep?.criteria[1].advice = advice
    let lines = wordy.text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 120 })
    #expect(lines.count { $0.hasSuffix(" word") } == 3)
    #expect(StatusReport.example.text.contains("\n\ncache: One store, no migration, for 2 h 5 min\n"))
  }
}
