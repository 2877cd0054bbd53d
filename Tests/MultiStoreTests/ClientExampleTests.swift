import Foundation
import TestSupport
import Testing

@Suite("Client: the example")
struct ClientExampleTests {
  @Test func `it does what its text says`() throws {
    let (old, new) = (try RedisServer(), try RedisServer(tcp: true))
    let timeout = ["OTHER_STORE_TIMEOUT_SECONDS": "20"]
    let outcome = try ChildProcess.run(Self.executable, [old.url, new.tcpURL], environment: timeout)
    #expect(outcome.exit == .status(0), "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let expected = [
      "1. Both flags are off: the old store does everything.",
      "visits: 1",
      "2. Dual writes: both stores are written, reads fall back to the old one.",
      "user:1 is Ada, whom only the old store knows",
      "pipeline: new field true, apples 3",
      "transaction: 2 jobs, mail and invoice",
      "error reply: ERR value is not an integer or out of range",
      "3. The new store is the default.",
      "default store: primary",
      "4. Dual writes are off: the new store does everything.",
      "What was counted:",
    ]
    #expect(Array(lines.prefix(expected.count)) == expected)
    let metrics = try MetricsSnapshot(parsing: lines.dropFirst(expected.count).joined(separator: "\n"))
    let fallbacks = ["command": "get", "instance_name": "sessions"]
    #expect(metrics["gitlab_redis_multi_store_read_fallback_total", fallbacks] == 1)
    #expect(metrics.sum("gitlab_redis_multi_store_pipelined_diff_error_total") == 0)
    #expect(metrics.sum("multistore_commands_total", ["store": "primary"]) > 0)
    #expect(outcome.errors.contains("ReadFromPrimaryError"))
    #expect(try new.client().command("LRANGE", "jobs", "0", "-1") == .array([.text("mail"), .text("invoice")]))
    #expect(try old.client().command("EXISTS", "user:1", "user:2", "cart:1") == .integer(3))
    #expect(try new.client().command("EXISTS", "user:1", "user:2", "cart:1") == .integer(1))
  }

  @Test func `without stores it says how it is used`() throws {
    let outcome = try ChildProcess.run(Self.executable, [])
    #expect(outcome.exit != .status(0))
    #expect(outcome.errors.contains("usage: MultiStoreExample OLD NEW"))
  }

  /// Beside the tests, where SwiftPM builds it.
  private static var executable: String {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("MultiStoreExample").path
  }
}
