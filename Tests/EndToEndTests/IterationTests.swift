import TestSupport
import Testing

/// SCAN and its relatives: a cursor belongs to the store that gave it.
@Suite struct IterationTests {
  /// A way to go through many elements, and the command that adds them.
  struct Iteration: Sendable, CustomTestStringConvertible {
    let scan: [String]
    let add: @Sendable (Range<Int>) -> [[String]]
    var testDescription: String { scan[0] }

    static let all = [
      Iteration(scan: ["SCAN"]) { $0.map { ["SET", "member:\($0)", "v"] } },
      Iteration(scan: ["SSCAN", "big"]) { [["SADD", "big"] + $0.map { "member:\($0)" }] },
      Iteration(scan: ["HSCAN", "big"]) { [["HSET", "big"] + $0.flatMap { ["member:\($0)", "v"] }] },
      Iteration(scan: ["ZSCAN", "big"]) { [["ZADD", "big"] + $0.flatMap { ["1", "member:\($0)"] }] },
    ]
  }

  private static let count = 2000

  @Test(arguments: [MigrationState.off, .dual, .dualPrimary, .primaryOnly], Iteration.all)
  func `an iteration goes through all elements of one store`(_ state: MigrationState, _ iteration: Iteration) throws {
    let deployment = try Deployment(state)
    try fill(deployment, iteration)
    let client = try deployment.client()
    let seen = try iterate(client, iteration) {}
    let expected = state == .off || (state == .dual && iteration.scan[0] == "SCAN") ? old : new
    #expect(seen.isSuperset(of: expected) && seen.isDisjoint(with: expected == old ? new : old))
  }

  @Test(arguments: Iteration.all)
  func `an iteration that fell back stays with the secondary until its end`(_ iteration: Iteration) throws {
    guard iteration.scan[0] != "SCAN" else { return }
    let deployment = try Deployment(.dual)
    for command in iteration.add(0..<Self.count) { _ = try deployment.secondary.client().command(command) }
    #expect(try iterate(deployment.client(), iteration) {}.isSuperset(of: old))
    let labels = ["command": iteration.scan[0].lowercased()]
    #expect(try deployment.metric(MultiStoreNames.readFallback, labels) == 1)
  }

  @Test(arguments: [MigrationState.off, .dualPrimary], Iteration.all)
  func `an iteration goes on with its store while the flags flip`(
    _ first: MigrationState,
    _ iteration: Iteration
  ) throws {
    let deployment = try Deployment(first)
    try fill(deployment, iteration)
    let client = try deployment.client()
    var states = [MigrationState.dual, .dualPrimary, .primaryOnly, .dualPrimary, .dual, .off]
    let seen = try iterate(client, iteration) {
      if !states.isEmpty { try deployment.move(to: states.removeFirst()) }
    }
    #expect(states.isEmpty)
    let expected = first == .off ? old : new
    #expect(seen.isSuperset(of: expected) && seen.isDisjoint(with: expected == old ? new : old))
  }

  @Test func `a cursor works in a transaction of its store, and is refused in one of the other`() throws {
    let deployment = try Deployment(.dualPrimary)
    try fill(deployment, Iteration.all[0])
    let client = try deployment.client()
    let page = try client.command("SCAN", "0", "COUNT", "100").elements
    let cursor = try #require(page?.first?.string)
    func inTransaction() throws -> RESPReply? {
      let replies = try client.pipeline([["MULTI"], ["SCAN", cursor, "COUNT", "5000"], ["EXEC"]])
      return replies.last?.elements?.first
    }
    #expect(try inTransaction()?.elements?.first == .text("0"))
    try deployment.move(to: .off)
    #expect(try inTransaction() == .error("ERR invalid cursor"))
  }

  private var old: Set<String> { Set((0..<Self.count).map { "member:\($0)" }) }
  private var new: Set<String> { Set((Self.count..<2 * Self.count).map { "member:\($0)" }) }

  /// The two stores hold different elements, so that each page shows where it is from.
  private func fill(_ deployment: Deployment, _ iteration: Iteration) throws {
    for (store, range) in [
      (deployment.secondary, 0..<Self.count), (deployment.primary, Self.count..<2 * Self.count),
    ] {
      let client = try store.client()
      for reply in try client.pipeline(iteration.add(range)) { #expect(reply.errorText == nil) }
    }
  }

  /// All elements that a client sees, doing something between two pages.
  private func iterate(
    _ client: RESPClient,
    _ iteration: Iteration,
    between: () throws -> Void
  ) throws -> Set<String> {
    var seen: Set<String> = []
    var cursor = "0"
    repeat {
      let page = try client.command(iteration.scan + [cursor, "COUNT", "100"]).elements
      cursor = try #require(page?.first?.string)
      // Exact as a floating-point number too: some clients keep cursors in one.
      #expect(Double(cursor).map { UInt64($0) } == UInt64(cursor))
      seen.formUnion(page?.last?.elements?.compactMap(\.string).filter { $0.hasPrefix("member:") } ?? [])
      try between()
    } while cursor != "0"
    return seen
  }
}
