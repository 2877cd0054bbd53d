internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// `multistore_copy_failures_total` counts writes: each one that the other store lacks once, and nothing else.
@Suite("Copy failures are counted by the write")
struct CopyFailureCountTests {
  private static let kinds = [BatchKind.pipelined, .multi]

  private func failures(_ instance: Instance) -> [String: Int64] {
    let counts = CopyFailureReason.allCases.map {
      ($0.rawValue, instance.count(MultiStoreMetrics.copyFailures, ["reason": $0.rawValue]) ?? -1)
    }
    return Dictionary(uniqueKeysWithValues: counts).filter { $0.value != 0 }
  }

  @Test("Reads that the other store does not answer are no failed copies", arguments: kinds)
  func reads(kind: BatchKind) throws {
    for acknowledgement in WriteAcknowledgement.allCases {
      let instance = try Instance { $0.writeAcknowledgement = acknowledgement }
      try instance.both("RPUSH l 2 1")
      try instance.takeDown(.primary)
      try instance.execute("GET k", "SORT l", "LLEN l", as: kind)
      #expect(failures(instance) == [:])
      #expect(instance.database.primary?.stale.isEmpty == true)
      let messages = instance.events("Redis::CannotConnectError").map { $0[EventFields.errorMessage] }
      #expect(messages == ["Failed to execute pipeline on the redis primary_store."])
    }
  }

  @Test("Each write that fails with its pipeline counts, whether it was to be repeated or guarded", arguments: kinds)
  func unavailable(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.both("SET n 1")
    try instance.takeDown(.primary)
    try instance.execute("SET k v", "GET k", "INCR n", "DEL absent", "SET k w NX", as: kind)
    #expect(failures(instance) == ["unavailable": 3])
    #expect(instance.database.primary?.stale.count == 3)
  }

  @Test("A store that refuses each write of it is counted each time, with the reason", arguments: kinds)
  func refused(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.primary.command("ACL", "SETUSER", "default", "-set")
    try instance.execute("SET k v", "SET l v", "GET k", "DEL m", as: kind)
    // A transaction with a command that may not be executed is not executed at all.
    #expect(failures(instance) == ["error_reply": kind == .multi ? 3 : 2])
  }

  @Test("A key that can't be copied whole counts once, however many commands change it", arguments: kinds)
  func wholeKey(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.primary.command("ACL", "SETUSER", "default", "-restore")
    try instance.execute("RPUSH l a", "RPUSH l b", "SADD s a", "LLEN l", as: kind)
    #expect(failures(instance) == ["error_reply": 2])
    #expect(instance.count(MultiStoreMetrics.keyCopies) == 0)
  }

  @Test("When the default store's answer is lost each write counts, and no read by its options", arguments: kinds)
  func unknown(kind: BatchKind) throws {
    let instance = try Instance(commandTimeout: .seconds(1))
    instance.secondaryServer.pause()
    defer { instance.secondaryServer.resume() }
    try instance.execute("SET k v", "SORT l", "GETEX e", "GET m", "SORT l STORE d", as: kind)
    #expect(failures(instance) == ["default_unknown": 2])
    let stale = try #require(instance.database.primary).stale
    #expect(stale.contains("k") && stale.contains("d") && !stale.contains("e"))
  }

  @Test("A transaction that watches counts its failed writes once, though its order was in doubt")
  func separate() throws {
    let instance = try Instance()
    let connection = try #require(instance.database.secondary.openDedicated())
    try instance.run { connection.isReady }
    try instance.takeDown(.primary)
    let beside = (0..<10).map { _ in instance.begin("GET absent", "GET absent") }
    let transaction = instance.begin("SET k v", "SET l v", as: .multi, over: connection)
    try instance.run { transaction.isDone && beside.allSatisfy(\.isDone) }
    #expect(failures(instance) == ["unavailable": 2])
    instance.database.secondary.closeDedicated(connection)
  }
}
