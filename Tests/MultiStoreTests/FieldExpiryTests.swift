internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Fields of a hash get the very moment that they have on the default store: the digests of keys contain it.
@Suite("Fields that expire", .enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
struct FieldExpiryTests {
  private static let kinds = [BatchKind.single, .pipelined, .multi]

  private static let renewals = [
    "HEXPIRE h 500 FIELDS 2 f g", "HPEXPIRE h 500000 FIELDS 3 f none g", "HPEXPIRE h 500000 NX FIELDS 1 f",
    "HGETEX h EX 500 FIELDS 2 none f", "HGETEX h PX 500000 FIELDS 1 f", "HSETEX h EX 500 FIELDS 2 f EX g FIELDS",
    "HSETEX h FXX PX 500000 FIELDS 1 f v", "HEXPIREAT h 4000000000 FIELDS 1 f",
    "HSETEX h PXAT 4000000000000 FIELDS 1 f v",
  ]

  private func instance(primaryAsDefault: Bool = false) throws -> Instance {
    try Instance(primaryAsDefault: primaryAsDefault, primaryBinary: .valkey, secondaryBinary: .valkey)
  }

  /// The values of the fields of `h`, and the moments at which they expire, in milliseconds, on both stores.
  private func states(_ instance: Instance) throws -> [[RESPReply]] {
    try [instance.primary, instance.secondary].map { client in
      let moments = try client.command("HPEXPIRETIME", "h", "FIELDS", "3", "f", "g", "k")
      return [try client.command("HMGET", "h", "f", "g", "k"), moments]
    }
  }

  private func execute(_ line: String, as kind: BatchKind, on instance: Instance) throws {
    let reply = try kind == .single ? instance.execute(line) : instance.execute("SET other v", line, as: kind)
    #expect(!reply.contains("-ERR"), "\(line): \(reply)")
  }

  @Test(arguments: kinds, [false, true])
  func `expire at the same moment on both stores, and the whole key is copied if one lacks it`(
    kind: BatchKind,
    primaryAsDefault: Bool
  ) throws {
    let instance = try instance(primaryAsDefault: primaryAsDefault)
    let other = instance.client(primaryAsDefault ? .secondary : .primary)
    for line in Self.renewals {
      for isOnBoth in [true, false] {
        try instance.both("FLUSHALL")
        try instance.both("HSET h f 1 g 2 k 3")
        if !isOnBoth { try other.command("DEL", "h") }
        let copies = try #require(instance.count(MultiStoreMetrics.keyCopies))
        try execute(line, as: kind, on: instance)
        let found = try states(instance)
        #expect(found[0] == found[1] && found[0][1].elements?[0].integer ?? 0 > 0, "\(line): \(found)")
        #expect(instance.count(MultiStoreMetrics.keyCopies) == copies + (isOnBoth ? 0 : 1), "\(line)")
      }
    }
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
  }

  @Test(arguments: kinds)
  func `with a condition that some of them do not meet keep their moments`(kind: BatchKind) throws {
    let instance = try instance()
    try instance.both("HSET h f 1 g 2 k 3")
    try instance.both("HPEXPIREAT h 4000000000000 FIELDS 1 g")
    try execute("HEXPIRE h 500 NX FIELDS 3 f g k", as: kind, on: instance)
    let found = try states(instance)
    #expect(found[0] == found[1] && found[0][1].elements?[1].integer == 4_000_000_000_000, "\(found)")
    #expect(Set(found[0][1].elements ?? []).count == 2)
    #expect(instance.count(MultiStoreMetrics.keyCopies) == 1)
  }

  @Test(arguments: [BatchKind.pipelined, .multi])
  func `may get others later in the same batch`(kind: BatchKind) throws {
    let instance = try instance()
    for lines in [
      ["HEXPIRE h 500 FIELDS 2 f g", "HPEXPIREAT h 4000000000000 FIELDS 1 f"],
      ["HSETEX h EX 500 FIELDS 2 f v g w", "HPERSIST h FIELDS 1 g", "HGETEX h EX 900 FIELDS 1 k"],
      ["HEXPIRE h 500 FIELDS 1 f", "HEXPIRE h 900 GT FIELDS 1 f", "HEXPIRE h 300 FIELDS 2 g k", "HDEL h g"],
      ["HEXPIRE h 500 FIELDS 2 f g", "HEXPIRE h 700 FIELDS 1 g", "COPY h z", "DEL h", "RENAME z h"],
    ] {
      try instance.both("FLUSHALL")
      try instance.both("HSET h f 1 g 2 k 3")
      let sink = instance.begin(lines, as: kind, in: instance.database)
      try instance.run { [database = instance.database] in
        sink.isDone && database.stores.allSatisfy { $0.ordinary.inFlightCount == 0 }
      }
      let found = try states(instance)
      #expect(found[0] == found[1] && found[0][1].elements?[0].integer ?? 0 > 0, "\(lines): \(found)")
    }
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
  }

  @Test(arguments: kinds)
  func `that are not there, or keep what they have, are not copied`(kind: BatchKind) throws {
    let instance = try instance()
    try instance.secondary.command("HSET", "h", "f", "1")
    for line in [
      "HEXPIRE none 500 FIELDS 1 f", "HEXPIRE h 500 FIELDS 1 none", "HPEXPIRE h 500000 XX FIELDS 1 f",
      "HGETEX h EX 500 FIELDS 1 none", "HSETEX h FNX EX 500 FIELDS 1 f v",
    ] {
      try execute(line, as: kind, on: instance)
    }
    #expect(instance.count(MultiStoreMetrics.keyCopies) == 0)
    #expect(try instance.primary.command("EXISTS", "h") == .integer(0))
  }

  /// A server counts them until it has removed them, and has the key of a hash that has no others.
  @Test func `make no difference once they have expired, removed or not`() throws {
    let instance = try instance()
    let lines = [
      "DEBUG SET-ACTIVE-EXPIRE 0", "HSETEX h PX 1 FIELDS 1 f v", "HSETEX gone PX 1 FIELDS 1 f v", "HSET h g w",
    ]
    for line in lines { #expect(try instance.secondary.command(words(line)).errorText == nil, "\(line)") }
    try instance.primary.command("HSET", "h", "g", "w")
    try eventually { try instance.secondary.command("HGETALL", "gone").elements?.isEmpty == true }
    #expect(try instance.secondary.command("HLEN", "h") == .integer(2))
    #expect(try instance.secondary.command("EXISTS", "gone") == .integer(1))
    let core = instance.multiStore.instance
    try core.startJob(KeyJobRequest(.verify), who: "test")
    try instance.run { core.jobProgress[0].state.hasEnded }
    #expect(core.jobProgress[0].state == .ended(.complete), "\(core.jobProgress[0].counts)")
  }
}
