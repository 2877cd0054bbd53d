import Synchronization
import TestSupport
import Testing

@Suite("Optimistic locking under load")
struct WatchLoadTests {
  /// Longer pairs of WATCH and EXEC may be cut off by a move of the default store.
  private static let holdLimit = Duration.milliseconds(900)

  /// What clients that put jobs into a queue have come to.
  private struct Jobs {
    var queued = 0
    /// EXEC answered nil although the pair was within the limit of the hold. Nobody else touches a job's key.
    var lost = 0
    /// EXEC answered nil after that.
    var late = 0
  }

  /// A flag, and what it is set to.
  private typealias Flip = (flag: String, value: Bool)

  private static let allDirections: [Flip] = [
    (Deployment.dualFlag, true), (Deployment.defaultFlag, true), (Deployment.dualFlag, false),
    (Deployment.dualFlag, true), (Deployment.defaultFlag, false), (Deployment.dualFlag, false),
    (Deployment.defaultFlag, true), (Deployment.defaultFlag, false),
  ]

  @Test func `no job is lost over flips in every direction`() throws {
    let deployment = try Deployment(.off)
    let flips = (0..<5).flatMap { _ in Self.allDirections }
    let jobs = try enqueue(in: deployment, while: flips)
    #expect(jobs.lost == 0)
    let metrics = try deployment.sidecar.metrics()
    #expect(Int(metrics.sum("multistore_lost_watches_total")) == jobs.late)
    #expect(metrics.sum("multistore_copy_failures_total") == 0)
    #expect(metrics.sum(MultiStoreNames.pipelinedDiff) == 0)
  }

  @Test(arguments: ["both", "default_store"])
  func `both stores have all jobs when the default store moves`(acknowledgement: String) throws {
    let deployment = try Deployment(.dual, instance: ["write_acknowledgement: \(acknowledgement)"])
    let jobs = try enqueue(in: deployment, while: (0..<20).map { (Deployment.defaultFlag, $0 % 2 == 0) })
    #expect(jobs.lost == 0)
    for store in [deployment.primary, deployment.secondary] {
      let direct = try store.client()
      // Transactions beside others are copied key by key: the queue may be there before the last job is.
      try eventually("all jobs are there, and nothing else") {
        try direct.pipeline([["ZCARD", "queue"], ["DBSIZE"]]) == [.integer(jobs.queued), .integer(jobs.queued + 1)]
      }
    }
    #expect(try deployment.sidecar.metrics().sum("multistore_copy_failures_total") == 0)
  }

  /// Four clients put jobs into a queue as arq does, and go on with every flip.
  private func enqueue(in deployment: Deployment, while flips: [Flip]) throws -> Jobs {
    let isDone = Atomic(false)
    let counts = Mutex([Jobs](repeating: Jobs(), count: 4))
    let traffic = Threads(4) { thread in
      let client = try deployment.client()
      var number = 0
      while !isDone.load(ordering: .relaxed) {
        let job = "\(thread)-\(number)"
        let start = ContinuousClock.now
        let isQueued = try enqueue(job, client)
        let isLate = ContinuousClock.now - start > Self.holdLimit
        counts.withLock {
          if isQueued { $0[thread].queued += 1 } else if isLate { $0[thread].late += 1 } else { $0[thread].lost += 1 }
        }
        number += 1
      }
    }
    defer { isDone.store(true, ordering: .relaxed) }
    for (flag, value) in flips {
      try deployment.sidecar.setFlag(flag, value)
      let before = counts.withLock { $0.map(\.queued) }
      try eventually("every client goes on") {
        counts.withLock { zip($0, before).allSatisfy { $0.queued > $1 + 5 } }
      }
    }
    isDone.store(true, ordering: .relaxed)
    try traffic.join()
    return counts.withLock { $0 }.reduce(into: Jobs()) {
      $0.queued += $1.queued
      $0.lost += $1.lost
      $0.late += $1.late
    }
  }

  /// - Returns: false when EXEC answered nil.
  private func enqueue(_ job: String, _ client: RESPClient) throws -> Bool {
    let replies = [
      try client.command("WATCH", "job:\(job)"), try client.command("EXISTS", "job:\(job)", "result:\(job)"),
    ]
    guard replies == [.ok, .integer(0)] else { throw TestSupportError(.malformed, "\(replies)") }
    let exec = try client.pipeline([
      ["MULTI"], ["PSETEX", "job:\(job)", "3600000", "v"], ["ZADD", "queue", "1", job], ["EXEC"],
    ]).last
    if exec == .array([.ok, .integer(1)]) { return true }
    guard exec == .array(nil) else { throw TestSupportError(.malformed, "EXEC answered \(exec?.description ?? "")") }
    return false
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary], ["fallback", "default_store"])
  func `no update is lost between two sidecars`(state: MigrationState, policy: String) throws {
    for acknowledgement in ["both", "default_store"] {
      let instance = ["read_policy: \(policy)", "write_acknowledgement: \(acknowledgement)"]
      let deployment = try Deployment(state, instance: instance)
      let directory = try TemporaryDirectory()
      try directory.write(Deployment.flags(state), to: "flags.yml")
      let second = try SidecarProcess(
        configuration: Deployment.configuration(
          in: directory,
          primary: deployment.primary.url,
          secondary: deployment.secondary.url,
          instance: instance
        ),
        in: directory
      )
      try second.waitForStores()
      let attempts = 500
      let (updated, taken) = try race(try deployment.client(), try second.client(instance: "sessions"), attempts)
      let direct = try deployment.defaultStore(state).client()
      let value = try direct.command("GET", "n").string.flatMap { Int($0) }
      #expect(value == updated - taken, "\(policy), \(acknowledgement)")
      #expect(updated > 0 && updated < attempts)
    }
  }

  /// One client adds 1 under WATCH, and the other one, at another sidecar, takes 1 away at every third attempt. Its
  /// command is sent before the first one watches or, every other time, right before EXEC: which one of them the store
  /// executes first is up to the two sidecars.
  ///
  /// - Returns: how often the first one and the second one have succeeded.
  private func race(_ first: RESPClient, _ second: RESPClient, _ attempts: Int) throws -> (Int, Int) {
    #expect(try first.command("SET", "n", "0") == .ok)
    let take = RESPClient.encode(["DECRBY", "n", "1"])
    var (updated, taken) = (0, 0)
    for attempt in 1...attempts {
      let takes = attempt % 3 == 1
      let isLate = attempt % 2 == 0
      if takes, !isLate { try second.send(take) }
      #expect(try first.command("WATCH", "n") == .ok)
      let value = try first.command("GET", "n").string.flatMap { Int($0) }
      let next = String(try #require(value) + 1)
      if takes, isLate { try second.send(take) }
      let exec = try first.pipeline([["MULTI"], ["SET", "n", next], ["EXEC"]]).last
      if exec == .array([.ok]) { updated += 1 } else { #expect(exec == .array(nil)) }
      guard takes else { continue }
      guard try second.readReply().integer != nil else { throw TestSupportError(.malformed, "DECRBY failed") }
      taken += 1
    }
    return (updated, taken)
  }
}
