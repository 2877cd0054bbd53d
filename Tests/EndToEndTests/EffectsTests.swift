import TestSupport
import Testing

/// What is on the other store is what happened on the default one, whatever was written and from how many sides.
@Suite struct EffectsTests {
  private static let clients = 4
  /// How long a failure is made smaller before it is reported.
  private static let shrinkingLimit = Duration.seconds(60)

  /// Every key that is on the other store is there as it is on the default one; nothing is there that the default store
  /// lacks. From two empty stores, both end with the same keys.
  ///
  /// Short runs find fragments, which longer ones would sooner or later replace with whole keys; long runs find what
  /// happens rarely.
  @Test(
    arguments: [
      (WriteScenario.Start.empty, 1), (.newIsEmpty, 1), (.newIsHalfFilled, 1), (.empty, 8), (.newIsEmpty, 8),
      (.newIsHalfFilled, 8),
    ],
    [(UInt64(1), 24), (2, 24), (1015, 24), (3, 64), (4, 1000)]
  )
  func `random writes of several clients leave both stores with the same keys`(
    _ kind: (start: WriteScenario.Start, longestPiece: Int),
    _ run: (seed: UInt64, commandsPerClient: Int)
  ) throws {
    let deployment = try Deployment(.dual)
    let scenario = WriteScenario(
      seed: run.seed,
      start: kind.start,
      clients: Self.clients,
      commandsPerClient: run.commandsPerClient,
      longestPiece: kind.longestPiece
    )
    guard let difference = try scenario.play(on: deployment) else {
      return #expect(try !StoreComparison.names(deployment.primary.client()).isEmpty)
    }
    try record(difference, seed: run.seed, deployment)
    if let smaller = try scenario.shrunk(on: deployment, within: Self.shrinkingLimit) {
      Issue.record("\(smaller.difference) after \(smaller.scenario)")
    }
  }

  private func record(_ difference: String, seed: UInt64, _ deployment: Deployment) throws {
    // A copy that failed for want of time or of a connection says nothing about order.
    let metrics = try deployment.sidecar.metrics()
    let failures = metrics.sum("multistore_copy_failures_total")
    let events = deployment.sidecar.log.all.filter { $0["severity"]?.string == "ERROR" }.prefix(3)
    Issue.record("seed \(seed): \(difference); \(failures) copies had failed; \(events)")
  }

  /// The way back has to stay open: the old store gets what the new one executes, though it can't read its dumps.
  @Test(
    .enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"),
    arguments: [(WriteScenario.Start.empty, 1), (.newIsEmpty, 1), (.empty, 8), (.newIsEmpty, 8)],
    [(UInt64(5), 24), (6, 64), (7, 1000)]
  )
  func `random writes to a newer default store leave the older one with the same keys`(
    _ kind: (start: WriteScenario.Start, longestPiece: Int),
    _ run: (seed: UInt64, commandsPerClient: Int)
  ) throws {
    let deployment = try Deployment(.dualPrimary, primaryBinary: .valkey)
    let scenario = WriteScenario(
      seed: run.seed,
      start: kind.start,
      clients: Self.clients,
      commandsPerClient: run.commandsPerClient,
      longestPiece: kind.longestPiece
    )
    if let difference = try scenario.play(on: deployment, primaryIsDefault: true) {
      try record(difference, seed: run.seed, deployment)
    }
    #expect(try !StoreComparison.names(deployment.secondary.client()).isEmpty)
  }

  /// A transaction that watches keys and a plain write run on two connections to the default store, and their replies
  /// may be read in another order than they were executed in.
  @Test func `watched transactions and plain writes of the same keys end the same on both stores`() throws {
    let deployment = try Deployment(.dual)
    // What is appended stays where it was appended, so that a single pair in the wrong order shows in the end.
    try deployment.client().command("SET", "k", "-")
    try inThreads(4) { thread in
      let client = try deployment.client()
      for _ in 0..<500 {
        let append = ["APPEND", "k", String(thread)]
        let replies = try client.pipeline(
          thread.isMultiple(of: 2) ? [["WATCH", "other"], ["MULTI"], append, ["EXEC"]] : [append, append]
        )
        guard replies.allSatisfy({ $0.errorText == nil }) else { throw TestSupportError(.malformed, "\(replies)") }
      }
    }
    #expect(try deployment.client().command("STRLEN", "k") == .integer(1 + 2 * 500 + 2 * 1000))
    let difference = try StoreComparison.difference(
      old: deployment.secondary.client(),
      new: deployment.primary.client(),
      isComplete: true
    )
    #expect(difference == nil)
  }

  @Test func `the random writes contain every write command of the server`() throws {
    let scenario = WriteScenario(seed: 1, start: .newIsEmpty, clients: 4, commandsPerClient: 5000, longestPiece: 8)
    let server = try RedisServer()
    let listed = try server.client().command("COMMAND", "LIST", "FILTERBY", "ACLCAT", "write").elements ?? []
    let writes = Set(listed.compactMap(\.string))
    #expect(!writes.isEmpty)
    #expect(writes.subtracting(scenario.commandNames).subtracting(RandomWrites.left.keys) == [])
    #expect(scenario.commandNames.isDisjoint(with: RandomWrites.left.keys))
  }
}
