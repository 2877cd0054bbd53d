import TestSupport
import Testing

/// Jobs while clients write, and across kills of the sidecar. What the stores have is compared by the servers' own
/// digests.
@Suite("Jobs of sidecars that are killed")
struct JobRestartTests {
  private static let keyCount = 400

  /// A random write to one of a few hundred keys.
  private static func write() -> [String] {
    let key = Int.random(in: 0..<keyCount)
    switch Int.random(in: 0..<9) {
    case 0: return ["SET", "k\(key)", "\(Int.random(in: 0..<1_000))"]
    case 1: return ["DEL", "k\(key)", "l\(key)"]
    case 2: return ["INCR", "n\(key)"]
    case 3: return ["RPUSH", "l\(key)", "\(key)"]
    case 4: return ["LPOP", "l\(key)"]
    case 5: return ["SADD", "s\(key)", "\(Int.random(in: 0..<9))"]
    case 6: return ["RENAME", "n\(key)", "n\((key + 1) % keyCount)"]
    case 7: return ["EXPIRE", "k\(key)", "1000"]
    default: return ["HSET", "h\(key)", "f\(Int.random(in: 0..<3))", "\(key)"]
    }
  }

  @Test func `a backfill goes on after each kill, and a verification mends the rest`() throws {
    let here = try RestartableSidecar(.dual, instance: ["settled_checks: { rate: 0 }", "key_work_rate: 100000"])
    let old = try here.secondary.client()
    for first in stride(from: 0, to: 6_000, by: 1_000) {
      _ = try old.pipeline((first..<first + 1_000).map { ["SET", "static\($0)", "v"] })
    }
    for number in 0..<50 { try here.primary.client().command("SET", "garbage\(number)", "v") }
    let admin = ["--instance=sessions", here.sidecar.adminOption]
    #expect(try SidecarProcess.run(["backfill", "start", "--rate=3000"] + admin).exit == .status(0))
    for round in 0..<4 {
      let client = try here.client()
      for _ in 0..<10 { _ = try client.pipeline((0..<100).map { _ in Self.write() }) }
      if round == 2 { #expect(try here.sidecar.terminate() == .status(0)) } else { here.sidecar.kill() }
      try here.start()
    }
    try eventually("the backfill has ended") {
      try SidecarProcess.run(["backfill", "status"] + admin).output.contains("ended:")
    }
    let outcome = try SidecarProcess.run(["backfill", "status"] + admin).output
    #expect(outcome.contains("ended: all keys are there"), "\(outcome)")
    let client = try here.client()
    _ = try client.pipeline((0..<500).map { _ in Self.write() })
    let verified = try SidecarProcess.run(["verify", "start", "--heal", "--wait", "--rate=100000"] + admin)
    #expect(verified.exit == .status(0), "\(verified)")
    let digests = try [old, here.primary.client()].map { try $0.command("DEBUG", "DIGEST") }
    #expect(digests[0] == digests[1])
    try here.waitForMetric("multistore_store_trusted", ["store": "primary"], 1)
  }
}
