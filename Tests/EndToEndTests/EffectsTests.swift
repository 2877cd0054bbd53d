import TestSupport
import Testing

@Suite struct EffectsTests {
  private static let clients = 4
  /// How far apart the expiry of a key may be on the two stores: a relative time counts from the default store's reply,
  /// which a busy machine may be late to read.
  private static let expiryToleranceMilliseconds = 250

  /// Every key that is on the other store is there as it is on the default one, whatever was written and from how many
  /// sides; nothing is there that the default store lacks.
  ///
  /// Short runs find fragments, which longer ones would sooner or later replace with whole keys; long runs find what
  /// happens rarely.
  @Test(arguments: [(false, 1), (true, 1), (false, 8), (true, 8)], [(UInt64(1), 24), (2, 24), (3, 64), (4, 800)])
  func `random writes of several clients leave both stores with the same keys`(
    _ kind: (isHalfFilled: Bool, pipeline: Int),
    _ run: (seed: UInt64, commandsPerClient: Int)
  ) throws {
    let seed = run.seed
    let deployment = try Deployment(.dual)
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    var writes = RandomWrites(seed: seed)
    for _ in 0..<1000 { _ = try old.command(writes.next()) }
    if kind.isHalfFilled { try copyEverySecondKey(from: old, to: new) }
    try inThreads(Self.clients) { thread in
      let client = try deployment.client()
      var writes = RandomWrites(seed: seed * 100 + UInt64(thread))
      for _ in 0..<run.commandsPerClient / kind.pipeline {
        let commands = (0..<kind.pipeline).map { _ in writes.next() }
        for reply in try client.pipeline(commands) where reply.errorText?.hasPrefix("ERR MultiStore") == true {
          throw TestSupportError(.malformed, "\(commands): \(reply)")
        }
      }
    }
    try expectSame(old, new, seed)
  }

  private func copyEverySecondKey(from old: RESPClient, to new: RESPClient) throws {
    let keys = try names(old).sorted()
    for key in stride(from: 0, to: keys.count, by: 2).map({ keys[$0] }) {
      guard case .bulk(let dump?) = try old.command("DUMP", key) else { continue }
      let expiry = max(0, try old.command("PEXPIRETIME", key).integer ?? 0)
      let words = ["RESTORE", key, String(expiry)].map { Array($0.utf8) } + [dump, Array("ABSTTL".utf8)]
      #expect(try new.command(bytes: words) == .ok)
    }
  }

  private func expectSame(_ old: RESPClient, _ new: RESPClient, _ seed: UInt64) throws {
    let present = try names(new)
    #expect(try present.subtracting(names(old)) == [], "seed \(seed)")
    #expect(!present.isEmpty)
    for key in present {
      let digests = try [old, new].map { try $0.command("DEBUG", "DIGEST-VALUE", key) }
      #expect(digests[0] == digests[1], "seed \(seed): \(key)")
      let expiries = try [old, new].map { try $0.command("PEXPIRETIME", key).integer ?? 0 }
      #expect(abs(expiries[0] - expiries[1]) <= Self.expiryToleranceMilliseconds, "seed \(seed): \(key)")
    }
  }

  private func names(_ store: RESPClient) throws -> Set<String> {
    Set(try store.command("KEYS", "*").elements?.compactMap(\.string) ?? [])
  }
}
