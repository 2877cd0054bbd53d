import MultiStore
import Testing

@testable import Sidecar

@Suite("Moves of the default store that are asked for")
struct DefaultMoveTests {
  private func move(
    _ trust: StoreTrust = .trusted,
    staleKeys: Int = 0,
    limit: Int = 1000,
    problem: String? = nil,
    obstacleToFunctions: String? = nil
  ) -> DefaultMove {
    DefaultMove(
      instance: "sessions",
      target: .primary,
      problem: problem,
      obstacleToFunctions: obstacleToFunctions,
      trust: trust,
      staleKeys: staleKeys,
      maxKeysAtFlip: limit
    )
  }

  @Test func `the default store may move to a trusted store with few stale keys`() {
    #expect(move().refusal == nil)
    #expect(move(staleKeys: 1000).refusal == nil)
    #expect(move(limit: 0).refusal == nil)
  }

  @Test func `it may not move where more keys are stale, and both figures are told`() throws {
    #expect(move(staleKeys: 1, limit: 0).refusal?.contains("1 key is stale there, and max_keys_at_flip is 0:") == true)
    let refusal = try #require(move(staleKeys: 2241).refusal)
    #expect(
      refusal.hasPrefix("the default store of sessions would move to the primary store. 2,241 keys are stale there")
    )
    #expect(refusal.contains("max_keys_at_flip is 1,000: wait") && refusal.contains("stale list"))
    #expect(refusal.hasSuffix("add force=true (--force on the command line)."))
  }

  @Test func `it may not move to a store that can't be used, or that lacks functions`() throws {
    #expect(
      move(problem: "connection refused").refusal?.contains("That store can't be used: connection refused.") == true
    )
    let refusal = try #require(move(obstacleToFunctions: "OOM command not allowed").refusal)
    #expect(refusal.contains("could not be copied (OOM command not allowed): wait until they have been"))
  }

  @Test(arguments: TrustLoss.allCases)
  func `it may not move to a store that is not trusted, and the reason is told`(loss: TrustLoss) throws {
    let refusal = try #require(move(.lost(loss, sinceMilliseconds: 1_795_895_465_000)).refusal)
    #expect(refusal.contains("not trusted since 2026-11-28 19:51:05 UTC, because \(loss.explanation):"))
    #expect(refusal.contains("multistore-exporter trust") && !refusal.contains("max_keys_at_flip"))
    let both = try #require(move(.lost(loss, sinceMilliseconds: 0), staleKeys: 1001).refusal)
    #expect(both.contains("is not trusted") && both.contains("1,001 keys are stale"))
  }
}
