internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// A time to live is a part of a key: what changes it takes the key along to a store that lacks it.
@Suite("Keys whose time to live is renewed")
struct SlidingKeyTests {
  private static let kinds = [BatchKind.single, .pipelined, .multi]

  /// A key of the default store, and a command that changes how long it lives.
  private static let renewals = [
    ("SET k v EX 50", "EXPIRE k 500"), ("SET k v", "PEXPIRE k 500000 NX"), ("HSET k f v", "EXPIREAT k 4000000000"),
    ("SET k v EX 50", "EXPIREAT k 4000000000 GT"), ("SET k v EX 50", "PEXPIREAT k 4000000000000 XX"),
    ("RPUSH k a b", "EXPIRE k 500"), ("SET k v EX 50", "PERSIST k"), ("SET k v EX 50", "GETEX k EX 500"),
    ("SET k v EX 50", "GETEX k PX 500000"), ("SET k v EX 50", "GETEX k EXAT 4000000000"),
    ("SET k v EX 50", "GETEX k PERSIST"),
  ]

  /// The digest of a key's value and the moment at which it expires, in milliseconds, on both stores.
  private func states(_ instance: Instance) throws -> [[RESPReply]] {
    try [instance.primary, instance.secondary].map { client in
      [try client.command("DEBUG", "DIGEST-VALUE", "k"), try client.command("PEXPIRETIME", "k")]
    }
  }

  @discardableResult
  private func execute(_ line: String, as kind: BatchKind, on instance: Instance) throws -> String {
    let reply = try kind == .single ? instance.execute(line) : instance.execute("SET other v", line, as: kind)
    #expect(!reply.contains("-ERR"), "\(line): \(reply)")
    return reply
  }

  @Test("A store that lacks the key gets it whole, one that has it the very moment", arguments: kinds, [false, true])
  func moves(kind: BatchKind, primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault)
    let other = instance.client(primaryAsDefault ? .secondary : .primary)
    for (setup, line) in Self.renewals {
      try instance.both("FLUSHALL")
      try instance.both(setup)
      try other.command("DEL", "k")
      let copies = try #require(instance.count(MultiStoreMetrics.keyCopies))
      try execute(line, as: kind, on: instance)
      let copied = try states(instance)
      #expect(copied[0] == copied[1] && copied[0][1] != .integer(-2), "\(line)")
      #expect(instance.count(MultiStoreMetrics.keyCopies) == copies + 1, "\(line)")
      try instance.both("FLUSHALL")
      try instance.both(setup)
      try execute(line, as: kind, on: instance)
      let renewed = try states(instance)
      #expect(renewed[0] == renewed[1] && renewed[0][1] != .integer(-2), "\(line)")
      #expect(instance.count(MultiStoreMetrics.keyCopies) == copies + 1, "\(line)")
    }
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
  }

  @Test("Sessions that are renewed are there when the new store becomes the default", arguments: ReadPolicy.allCases)
  func sliding(policy: ReadPolicy) throws {
    let instance = try Instance { $0.readPolicy = policy }
    try instance.secondary.command("SET", "s", "user", "EX", "50")
    try instance.secondary.command("SET", "t", "user", "EX", "50")
    #expect(try instance.execute("GETEX s EX 500") == "$4|user|")
    #expect(try instance.execute("EXPIRE t 500") == ":1|")
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    #expect(try instance.execute("GETEX s EX 500") == "$4|user|")
    #expect(try instance.execute("EXPIRE t 500") == ":1|")
  }

  @Test("What took no effect moves nothing, and leaves the other store as it is", arguments: kinds)
  func noEffect(kind: BatchKind) throws {
    let instance = try Instance()
    let lines = [
      "EXPIRE absent 500", "PERSIST absent", "GETEX absent EX 500", "EXPIREAT absent 4000000000", "PERSIST k",
      "EXPIRE k 500 XX", "PEXPIREAT k 4000000000000 GT", "PEXPIRE k 500000 XX",
    ]
    try instance.secondary.command("SET", "k", "v")
    try instance.primary.command("MSET", "k", "v", "absent", "left over")
    try instance.primary.command("EXPIREAT", "k", "4000000001")
    for line in lines { try execute(line, as: kind, on: instance) }
    #expect(instance.count(MultiStoreMetrics.keyCopies) == 0)
    #expect(try instance.primary.command("EXPIRETIME", "k") == .integer(4_000_000_001))
    #expect(try instance.primary.command("GET", "absent") == .text("left over"))
  }

  @Test("Conditions are decided by the default store, and not again by the other one", arguments: kinds)
  func conditions(kind: BatchKind) throws {
    let instance = try Instance()
    for line in ["EXPIREAT k 4000000000 GT", "PEXPIREAT k 4000000000000 XX", "EXPIRE k 5000 XX"] {
      try instance.secondary.command("SET", "k", "v", "EX", "50")
      try instance.primary.command("SET", "k", "v", "PXAT", "4100000000000")
      if line.contains("XX") { try instance.primary.command("PERSIST", "k") }
      try execute(line, as: kind, on: instance)
      let renewed = try states(instance)
      #expect(renewed[0] == renewed[1], "\(line)")
    }
  }

  @Test("A deadline that is over removes the key from both, wherever it was", arguments: kinds)
  func past(kind: BatchKind) throws {
    let instance = try Instance()
    for line in ["EXPIRE k -1", "PEXPIRE k 0", "EXPIREAT k 1000000000", "PEXPIREAT k 1", "GETEX k PXAT 1"] {
      for isOnBoth in [false, true] {
        try instance.secondary.command("SET", "k", "v")
        if isOnBoth { try instance.primary.command("SET", "k", "v") }
        try execute(line, as: kind, on: instance)
        for client in [instance.primary, instance.secondary] {
          #expect(try client.command("EXISTS", "k") == .integer(0), "\(line)")
        }
      }
    }
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
  }

  @Test("A key that is stale on the other store is replaced as a whole", arguments: kinds)
  func stale(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.secondary.command("SET", "k", "new")
    try instance.primary.command("SET", "k", "old")
    instance.database.primary?.stale.insert("k")
    try execute("EXPIRE k 500", as: kind, on: instance)
    let renewed = try states(instance)
    #expect(renewed[0] == renewed[1])
    #expect(instance.database.primary?.stale.isEmpty == true)
  }
}
