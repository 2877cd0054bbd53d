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
}
