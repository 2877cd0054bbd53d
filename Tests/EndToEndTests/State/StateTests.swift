import Foundation
import TestSupport
import Testing

/// Stale keys and trust, from one process to the next.
@Suite("State directory")
struct StateTests {
  private static let primary = ["store": "primary"]
  /// For tests in which a client waits for a paused store, once.
  private static let shortTimeout = "other_store_timeout: 3s"

  /// Without the file, 118 keys were forgotten: reads found the old values, and nothing healed.
  @Test(arguments: ["fallback", "default_store"])
  func `stale keys survive SIGTERM, are not read, and heal with nothing written`(policy: String) throws {
    let here = try RestartableSidecar(instance: ["read_policy: \(policy)", Self.shortTimeout])
    let keys = (0..<118).map { "key:\($0)" }
    let client = try here.client()
    #expect(try client.pipeline(keys.map { ["SET", $0, "old"] }).allSatisfy { $0 == .ok })
    here.primary.pause()
    #expect(try client.pipeline(keys.dropFirst(8).map { ["SET", $0, "new"] }).allSatisfy { $0 == .ok })
    #expect(try client.pipeline(keys.prefix(8).map { ["DEL", $0] }).allSatisfy { $0 == .integer(1) })
    try here.waitForMetric("multistore_stale_keys", Self.primary, 118)
    try here.stop()
    here.primary.resume()
    #expect(try here.primary.client().command("DBSIZE") == .integer(118))
    try here.start()
    let expected = keys.indices.map { $0 < 8 ? RESPReply.null : .text("new") }
    let again = try here.client()
    #expect(try again.pipeline(keys.map { ["GET", $0] }) == expected)
    for (key, value) in zip(keys, expected) { #expect(try again.command("GET", key) == value) }
    try eventually("they are the same on both stores") {
      try here.primary.client().pipeline(keys.map { ["GET", $0] }) == expected
    }
    try here.waitForMetric("multistore_stale_keys", Self.primary, 0)
    #expect(try here.metric("multistore_store_trusted", Self.primary) == 1)
    #expect(try here.metric("multistore_state_usable") == 1)
    // They are not stale for the next process either.
    try here.stop()
    try here.start()
    #expect(try here.metric("multistore_healed_keys_total", ["store": "primary", "outcome": "healed"]) == 0)
  }

  @Test func `a sidecar that is killed under dual write does not trust the other store`() throws {
    let here = try RestartableSidecar()
    #expect(try here.client().command("SET", "k", "right") == .ok)
    here.sidecar.kill()
    #expect(try here.primary.client().command("SET", "k", "wrong") == .ok)
    try here.start()
    #expect(try here.client().command("GET", "k") == .text("right"))
    try here.waitForMetric("multistore_store_trusted", Self.primary, 0)
    #expect(try here.metric("multistore_store_trusted", ["store": "secondary"]) == 1)
    let labels = ["store": "primary", "reason": "unclean_stop"]
    #expect(try here.metric("multistore_store_trust_losses_total", labels) == 1)
    // A clean stop does not bring trust back.
    try here.stop()
    try here.start()
    try here.waitForMetric("multistore_store_trusted", Self.primary, 0)
    #expect(try here.client().command("GET", "k") == .text("right"))
    #expect(try here.metric("multistore_store_trust_losses_total", labels) == 0)
  }

  @Test func `a store that came back with older keys while the sidecar was stopped is not trusted`() throws {
    let here = try RestartableSidecar()
    #expect(try here.client().command("SET", "k", "old") == .ok)
    try here.primary.client().command("SAVE")
    #expect(try here.client().command("SET", "k", "new") == .ok)
    try here.stop()
    try here.primary.restart()
    #expect(try here.primary.client().command("GET", "k") == .text("old"))
    try here.start()
    #expect(try here.client().command("GET", "k") == .text("new"))
    try here.waitForMetric("multistore_store_trusted", Self.primary, 0)
    let labels = ["store": "primary", "reason": "another_process"]
    #expect(try here.metric("multistore_store_trust_losses_total", labels) == 1)
    #expect(try here.metric("multistore_store_restarts_total", Self.primary) == 1)
    #expect(try here.metric("multistore_store_restarts_total", ["store": "secondary"]) == 0)
    // It is the same process from now on.
    try here.stop()
    try here.start()
    #expect(try here.metric("multistore_store_restarts_total", Self.primary) == 0)
  }

  @Test func `a clean stop, a kill without dual write and a start that fails lose no trust`() throws {
    let here = try RestartableSidecar()
    #expect(try here.client().command("SET", "k", "v") == .ok)
    try here.stop()
    // Its socket can't be made.
    let folder = here.directory.path("sessions.sock")
    try FileManager.default.createDirectory(atPath: "\(folder)/in-the-way", withIntermediateDirectories: true)
    #expect(throws: TestSupportError.self) { try here.start() }
    try FileManager.default.removeItem(atPath: folder)
    try here.start()
    try here.waitForMetric("multistore_store_trusted", Self.primary, 1)
    let off = try RestartableSidecar(.off)
    #expect(try off.client().command("SET", "k", "v") == .ok)
    off.sidecar.kill()
    try off.start()
    try off.waitForMetric("multistore_store_trusted", Self.primary, 1)
  }

  @Test(arguments: [false, true])
  func `a folder that can't be used costs no client anything`(exists: Bool) throws {
    let here = try RestartableSidecar(stateDirectory: { exists ? "/proc/self/task" : "\($0.path)/flags.yml/state" })
    let client = try here.client()
    #expect(try client.pipeline((0..<100).map { ["SET", "key:\($0)", "v"] }).allSatisfy { $0 == .ok })
    #expect(try here.metric("multistore_state_usable") == 0)
    #expect(try here.metric("multistore_state_write_failures_total").map { $0 >= 1 } == true)
    #expect(try here.sidecar.get("/-/ready").status == 200)
    let lines = here.sidecar.log.all.filter {
      $0.message == "Stale keys are kept in memory only: a restart forgets them"
    }
    #expect(lines.count == 1 && lines.first?["severity"]?.string == "ERROR")
    #expect(lines.first?["reason"]?.string?.hasPrefix("cannot ") == true && lines.first?["hint"] != nil)
    try here.stop()
  }

  @Test func `a damaged file is put aside, and no store is believed`() throws {
    let here = try RestartableSidecar()
    #expect(try here.client().command("SET", "k", "right") == .ok)
    try here.stop()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: here.file))
    bytes[40] ^= 1
    try bytes.write(to: URL(fileURLWithPath: here.file))
    #expect(try here.primary.client().command("SET", "k", "wrong") == .ok)
    try here.start()
    #expect(try here.client().command("GET", "k") == .text("right"))
    try here.waitForMetric("multistore_store_trusted", Self.primary, 0)
    #expect(
      try here.metric("multistore_store_trust_losses_total", ["store": "primary", "reason": "state_damaged"]) == 1
    )
    let line = try here.sidecar.waitForEvent("the error") { $0["put_aside"] != nil }
    #expect(line["severity"]?.string == "ERROR")
    #expect(try Data(contentsOf: URL(fileURLWithPath: try #require(line["put_aside"]?.string))) == bytes)
    #expect(try here.metric("multistore_state_usable") == 1)
  }

  @Test func `an empty file is a damaged one`() throws {
    let here = try RestartableSidecar()
    #expect(try here.client().command("SET", "k", "right") == .ok)
    try here.stop()
    try Data().write(to: URL(fileURLWithPath: here.file))
    #expect(try here.primary.client().command("SET", "k", "wrong") == .ok)
    try here.start()
    try here.waitForMetric("multistore_store_trusted", Self.primary, 0)
    #expect(try here.client().command("GET", "k") == .text("right"))
  }

  @Test func `a folder that is removed is made again, and a stop loses nothing`() throws {
    let here = try RestartableSidecar(instance: [Self.shortTimeout])
    let client = try here.client()
    for key in ["a", "b"] { #expect(try client.command("SET", key, "old") == .ok) }
    here.primary.pause()
    #expect(try client.command("SET", "a", "new") == .ok)
    try here.waitForMetric("multistore_stale_keys", Self.primary, 1)
    try FileManager.default.removeItem(atPath: here.directory.path("state"))
    #expect(try client.command("SET", "b", "new") == .ok)
    try here.sidecar.waitForEvent { $0.message == "The file of stale keys was removed: it is rewritten" }
    try here.stop()
    here.primary.resume()
    try here.start()
    let again = try here.client()
    for key in ["a", "b"] { #expect(try again.command("GET", key) == .text("new")) }
    #expect(try here.metric("multistore_store_trusted", Self.primary) == 1)
    try here.waitForMetric("multistore_stale_keys", Self.primary, 0)
  }

  /// A limit on the size of its files is to a process what a full disk is.
  @Test func `a full disk is said once, and the file is right again when there is room`() throws {
    let here = try RestartableSidecar(instance: [Self.shortTimeout])
    let client = try here.client()
    #expect(try client.command("SET", "a", "old") == .ok)
    here.primary.pause()
    #expect(try client.command("SET", "a", "new") == .ok)
    try here.waitForMetric("multistore_stale_keys", Self.primary, 1)
    try limitFiles(of: here.sidecar, "300")
    #expect(try client.pipeline((0..<50).map { ["SET", "key:\($0)", "v"] }).allSatisfy { $0 == .ok })
    try here.waitForMetric("multistore_state_usable", [:], 0)
    #expect(try client.command("SET", "b", "new") == .ok)
    try limitFiles(of: here.sidecar, "unlimited")
    var round = 0
    try eventually("the file is written anew") {
      round += 1
      #expect(try client.command("SET", "more:\(round)", "v") == .ok)
      return try here.metric("multistore_state_usable") == 1
    }
    try here.sidecar.waitForEvent { $0.message == "Stale keys are kept again" }
    let messages = here.sidecar.log.all.map(\.message)
    #expect(messages.count { $0.hasPrefix("Stale keys can't be kept") } == 1)
    #expect(messages.count { $0 == "Stale keys are kept again" } == 1)
    try here.stop()
    here.primary.resume()
    try here.start()
    for key in ["a", "b"] { #expect(try here.client().command("GET", key) == .text("new")) }
    try eventually("all are healed") {
      try here.primary.client().pipeline([["GET", "a"], ["GET", "key:49"]]) == [.text("new"), .text("v")]
    }
    #expect(try here.metric("multistore_store_trusted", Self.primary) == 1)
  }

  @Test func `a second sidecar leaves the file alone`() throws {
    let here = try RestartableSidecar()
    let second = try here.second()
    let line = try second.waitForEvent("the error") { $0.message.hasPrefix("Stale keys are kept in memory") }
    #expect(line["reason"]?.string == "another process uses \(here.file)")
    #expect(try second.client(instance: "sessions").command("SET", "k", "v") == .ok)
    try second.terminate()
    #expect(try here.metric("multistore_state_usable") == 1)
  }

  /// Many more keys are written than are remembered; the bound is lower than usual, so that it is reached soon.
  @Test func `memory and file stay within their bounds while the other store is down`() throws {
    let here = try RestartableSidecar(instance: ["max_stale_keys: 1000"])
    here.primary.kill()
    let client = try here.client()
    let write = { (keys: Range<Int>) in
      for start in stride(from: keys.lowerBound, to: keys.upperBound, by: 1000) {
        let commands = (start..<start + 1000).map { ["SET", "key:\($0)", "v"] }
        guard try client.pipeline(commands).allSatisfy({ $0 == .ok }) else {
          throw TestSupportError(.malformed, "a write was refused")
        }
      }
    }
    try write(0..<50_000)
    let memory = try #require(try here.sidecar.metrics()["process_resident_memory_bytes"])
    try write(50_000..<300_000)
    let later = try #require(try here.sidecar.metrics()["process_resident_memory_bytes"])
    #expect(later - memory < Double(8 << 20), "\(memory) bytes, then \(later)")
    try here.waitForMetric("multistore_stale_keys", Self.primary, 1000)
    #expect(try here.metric("multistore_store_trusted", Self.primary) == 0)
    #expect(try here.metric("multistore_state_file_bytes").map { $0 < Double(1 << 20) } == true)
    #expect(try here.metric("multistore_state_changes_dropped_total") == 0)
    try here.stop()
    let attributes = try FileManager.default.attributesOfItem(atPath: here.file)
    #expect((attributes[.size] as? Int ?? .max) < 1 << 20)
  }

  private func limitFiles(of sidecar: SidecarProcess, _ bytes: String) throws {
    let outcome = try ChildProcess.run("prlimit", ["--pid", "\(sidecar.process.pid)", "--fsize=\(bytes):unlimited"])
    guard outcome.exit == .status(0) else { throw TestSupportError(.process, "prlimit: \(outcome.errors)") }
  }
}
