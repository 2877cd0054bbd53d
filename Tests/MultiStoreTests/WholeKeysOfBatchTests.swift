internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Keys that a batch copies whole, and its other commands")
struct WholeKeysOfBatchTests {
  @Test(
    "A write to a key that an earlier command has copied whole is in the copy",
    arguments: [
      ["RENAME k z", "RPUSH k a", "RPUSH k b"], ["SUNIONSTORE k s", "SADD k n"],
      ["RENAME k z", "SET k v EX 100", "GET k"],
      ["RENAME k z", "DEL k", "APPEND z x"], ["RPUSH s2 a", "RENAME s2 k", "RPUSH k c"],
      ["RENAME k s", "GETDEL s"], ["RENAME k s", "SET s v GET"],
    ],
    [BatchKind.pipelined, .multi]
  )
  func joined(commands: [String], kind: BatchKind) throws {
    for acknowledgement in WriteAcknowledgement.allCases {
      for primaryAsDefault in [false, true] {
        let instance = try Instance(primaryAsDefault: primaryAsDefault) { $0.writeAcknowledgement = acknowledgement }
        for client in [instance.primary, instance.secondary] {
          try client.command("SET", "k", "old")
          try client.command("SADD", "s", "1", "2")
        }
        let sink = instance.begin(commands, as: kind, in: instance.database)
        try instance.run { [database = instance.database] in
          sink.isDone && database.primary?.isWhole == true && database.secondary.isWhole
            && database.primary?.ordinary.inFlightCount == 0 && database.secondary.ordinary.inFlightCount == 0
        }
        for key in ["k", "z", "s", "s2"] {
          let digests = try [instance.primary, instance.secondary].map { try $0.command("DEBUG", "DIGEST-VALUE", key) }
          #expect(digests[0] == digests[1], "\(key)")
        }
        #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
        #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
      }
    }
  }

  /// The other store still has a string, which it would refuse to push to.
  @Test(
    "A write to a key that an earlier batch will copy whole is in the copy",
    arguments: [["SET x 1", "RENAME l k"], ["RENAME l k"]],
    [["RPUSH k b"], ["RPUSH k b", "LLEN k"]]
  )
  func joinedFromAnotherBatch(first: [String], second: [String]) throws {
    for kind in [BatchKind.pipelined, .multi] {
      let instance = try Instance { $0.writeAcknowledgement = .defaultStore }
      try instance.both("SET k old")
      try instance.both("RPUSH l a")
      try executeWhileOtherStoreIsPaused(first, second, as: kind, on: instance)
      #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
      #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
      for client in [instance.primary, instance.secondary] {
        #expect(try client.command("LRANGE", "k", "0", "-1").elements?.map(\.string) == ["a", "b"])
      }
    }
  }

  /// The new store refuses the read. The old one would answer from the value that it still has.
  @Test("A read of a key that an earlier batch will copy whole gets the default store's error")
  func refusedRead() throws {
    let instance = try Instance(primaryAsDefault: true) { $0.writeAcknowledgement = .defaultStore }
    try instance.both("SET k old")
    try instance.both("RPUSH l a")
    instance.secondaryServer.pause()
    let write = instance.begin("SET x 1", "RENAME l k")
    try instance.run { write.isDone }
    let read = instance.begin("STRLEN k")
    try instance.run { [database = instance.database] in database.secondary.ordinary.inFlightCount == 2 }
    instance.secondaryServer.resume()
    try instance.run { read.isDone }
    #expect(read.text.hasPrefix("-WRONGTYPE"))
  }

  @Test(
    "A write that answers with the value from before is in the copy of a stale key",
    arguments: ["GETDEL k", "GETSET k new", "SET k new GET"],
    [[], ["GET x"]]
  )
  func answersOldValue(command: String, others: [String]) throws {
    let instance = try Instance()
    try instance.secondary.command("SET", "k", "v")
    try instance.primary.command("RPUSH", "k", "outdated")
    instance.database.primary?.stale.insert("k")
    let sink = instance.begin([command] + others, as: nil, in: instance.database)
    try instance.run { [database = instance.database] in sink.isDone && database.primary?.isWhole == true }
    #expect(sink.text.hasPrefix("$1|v|"))
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    let values = try [instance.primary, instance.secondary].map { try $0.command("GET", "k") }
    #expect(values[0] == values[1])
  }

  @Test("A script does not read a key on the other store that an earlier batch will copy whole")
  func scriptAfterAnotherBatch() throws {
    let instance = try Instance {
      $0.writeAcknowledgement = .defaultStore
      $0.scripts = .runOnBoth
    }
    try instance.both("SET k old")
    try instance.both("SET l new")
    let script = "EVAL return(redis.call('SET',KEYS[2],redis.call('GET',KEYS[1]))) 2 k copy"
    try executeWhileOtherStoreIsPaused(["SET x 1", "RENAME l k"], [script, "GET x"], as: .pipelined, on: instance)
    for client in [instance.primary, instance.secondary] { #expect(try client.command("GET", "copy").string == "new") }
    #expect(instance.count(MultiStoreMetrics.uncopiedWrites, ["command": "eval"]) == 1)
  }

  /// Executes two batches one after the other on the default store, before the other one has answered either.
  private func executeWhileOtherStoreIsPaused(
    _ first: [String],
    _ second: [String],
    as kind: BatchKind,
    on instance: Instance
  ) throws {
    instance.primaryServer.pause()
    for lines in [first, second] {
      let kind = lines.count == 1 && kind == .pipelined ? BatchKind.single : kind
      let sink = instance.begin(lines, as: kind, in: instance.database)
      try instance.run { sink.isDone }
    }
    instance.primaryServer.resume()
    try instance.run { [database = instance.database] in
      database.primary?.isWhole == true && database.primary?.ordinary.inFlightCount == 0
        && database.secondary.ordinary.inFlightCount == 0
    }
  }
}
