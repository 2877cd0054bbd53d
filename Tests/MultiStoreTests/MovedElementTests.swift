internal import Hiredis
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Commands that take an element from one key and add it to another. The other store may have an older value of the
/// first key until a whole copy of it arrives, and moves another element then.
@Suite("Elements that are moved")
struct MovedElementTests {
  private static let moves = [
    (["RPUSH z ? c", "RPUSH w x"], "LMOVE z w LEFT RIGHT"), (["RPUSH z c ?", "RPUSH w x"], "RPOPLPUSH z w"),
    (["RPUSH z ? c", "RPUSH w x"], "BLMOVE z w LEFT RIGHT 1"), (["SADD z ? c", "SADD w x"], "SMOVE z w b"),
  ]

  private func expectEqual(_ instance: Instance, _ line: String) throws {
    for key in ["z", "w"] {
      let question = ["DEBUG", "DIGEST-VALUE", key]
      #expect(try instance.primary.command(question) == instance.secondary.command(question), "\(key) after \(line)")
    }
  }

  private func execute(_ line: String, as kind: BatchKind, on instance: Instance) throws {
    if kind != .single {
      try instance.execute(line, "SET k v", as: kind)
    } else if line.hasPrefix("BLMOVE") {
      let connection = try #require(instance.database.secondary.openDedicated())
      let sink = try instance.beginBlocking(line, over: connection)
      try instance.run { sink.isDone }
      instance.database.secondary.closeDedicated(connection)
    } else {
      try instance.execute(line)
    }
  }

  @Test(arguments: [BatchKind.single, .pipelined, .multi])
  func `another element on the other store makes both keys be copied`(kind: BatchKind) throws {
    for (preparation, line) in Self.moves {
      let instance = try Instance()
      for client in [instance.primary, instance.secondary] {
        // The default store, which is the secondary, has the newer value.
        let element = client === instance.secondary ? "b" : "a"
        _ = try client.command(words(preparation[0].replacing("?", with: element)))
        _ = try client.command(words(preparation[1]))
      }
      try execute(line, as: kind, on: instance)
      try expectEqual(instance, line)
      #expect(instance.count(MultiStoreMetrics.keyCopies) == 2)
      #expect(instance.count(MultiStoreMetrics.copyFailures) == 0 && instance.database.primary?.stale.isEmpty == true)
    }
  }

  @Test(arguments: [BatchKind.single, .pipelined, .multi])
  func `the same element needs no copy`(kind: BatchKind) throws {
    for (preparation, line) in Self.moves {
      let instance = try Instance()
      try instance.both(preparation[0].replacing("?", with: "b"))
      try instance.both(preparation[1])
      try execute(line, as: kind, on: instance)
      try expectEqual(instance, line)
      #expect(instance.count(MultiStoreMetrics.keyCopies) == 0, "\(line)")
    }
  }

  /// A copy whose dump was just asked for is in flight when the element is moved.
  @Test func `a key that is being copied when an element of it is moved`() throws {
    let instance = try Instance()
    for line in ["RPUSH z a", "RPUSH k b", "RPUSH w x"] { try instance.both(line) }
    instance.begin("RENAME k z")
    instance.begin("LMOVE z w LEFT RIGHT")
    try instance.run { [database = instance.database] in
      database.secondary.ordinary.inFlightCount == 0 && database.primary?.ordinary.inFlightCount == 0
        && database.primary?.keysBeingCopied.isEmpty == true
    }
    try expectEqual(instance, "RENAME and LMOVE")
    #expect(try instance.primary.command("LRANGE", "w", "0", "-1") == .array([.text("x"), .text("b")]))
  }
}
