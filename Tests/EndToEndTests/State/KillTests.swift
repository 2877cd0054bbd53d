import TestSupport
import Testing

/// A sidecar that is killed under load has writes that one store alone executed, and nobody knows which.
@Suite("Killed sidecars")
struct KillTests {
  /// The keys that are written: strings, counters and lists.
  private static let keyCount = 60
  private static let reads = (0..<keyCount).flatMap {
    [["GET", "s\($0)"], ["GET", "n\($0)"], ["LRANGE", "l\($0)", "0", "-1"]]
  }

  /// Twenty kills, each of a new sidecar that trusts its stores. What the default store has is the truth.
  @Test(arguments: ["fallback", "default_store"], ["both", "default_store"])
  func `no read is wrong after a kill`(policy: String, acknowledgement: String) throws {
    for round in 0..<5 {
      let here = try RestartableSidecar(
        round % 2 == 0 ? .dual : .dualPrimary,
        instance: ["read_policy: \(policy)", "write_acknowledgement: \(acknowledgement)"]
      )
      let other = round % 2 == 0 ? "primary" : "secondary"
      let truth = try (round % 2 == 0 ? here.secondary : here.primary).client()
      let clients = try (0..<3).map { _ in try here.client() }
      let load = clients.map { _ in Self.load(of: 3000) }
      for (client, commands) in zip(clients, load) { try client.send(commands.flatMap { RESPClient.encode($0) }) }
      for client in clients { _ = try client.readReplies(Int.random(in: 1...900)) }
      here.sidecar.kill()
      try here.start()
      let expected = try truth.pipeline(Self.reads)
      let client = try here.client()
      #expect(try client.pipeline(Self.reads) == expected, "in a pipeline, round \(round)")
      for (read, value) in zip(Self.reads, expected) {
        #expect(try client.command(read) == value, "\(read), round \(round)")
      }
      // A write to a part of a value does not add to an outdated one.
      for (key, value) in (0..<Self.keyCount).map({ ("n\($0)", expected[3 * $0 + 1]) }) {
        let before = value.string.flatMap { Int($0) } ?? 0
        #expect(try client.command("INCR", key) == .integer(before + 1))
        #expect(try client.command("GET", key) == .text("\(before + 1)"))
      }
      try here.waitForMetric("multistore_store_trusted", ["store": other], 0)
    }
  }

  private static func load(of count: Int) -> [[String]] {
    (0..<count).map { _ in
      let key = Int.random(in: 0..<keyCount)
      switch Int.random(in: 0..<6) {
      case 0, 1: return ["SET", "s\(key)", "\(Int.random(in: 0..<1_000_000))"]
      case 2: return ["DEL", "s\(key)"]
      case 3: return ["INCR", "n\(key)"]
      case 4: return ["RPUSH", "l\(key)", "\(Int.random(in: 0..<100))"]
      default: return ["LPOP", "l\(key)"]
      }
    }
  }
}
