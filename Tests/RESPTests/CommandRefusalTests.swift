internal import RESP
internal import Testing

@Suite("Command refusals")
struct CommandRefusalTests {
  @Test(
    "A command's line says why it is refused",
    arguments: [
      ("SYNC", CommandRefusal.takesConnection), ("cluster syncslots x", .takesConnection),
      ("REPLICAOF no one", .changesRole), ("SWAPDB 0 1", .swapsDatabases), ("SHUTDOWN", .endsStore),
      ("READONLY", .changesConnection), ("SCRIPT DEBUG yes", .changesConnection),
      ("DEBUG SLEEP 1", .stallsStore), ("debug sleep 1", .stallsStore),
    ]
  )
  func refused(line: String, refusal: CommandRefusal) {
    #expect(Self.refusal(line) == refusal)
  }

  @Test(
    "Others are not refused",
    arguments: ["GET k", "DEBUG", "DEBUG OBJECT k", "DEBUG SLEEPY", "CLIENT ID", "FLUSHALL"]
  )
  func allowed(line: String) {
    #expect(Self.refusal(line) == nil)
  }

  @Test("A line that refuses some of its commands alone is not refused as a whole")
  func whole() {
    #expect(!Words("DEBUG SLEEP 1").spec.isRefused)
    #expect(Words("SYNC").spec.isRefused)
  }

  @Test(
    "The error names the command, and says what would happen",
    arguments: [
      (
        "SYNC", CommandRefusal.takesConnection,
        "ERR MultiStore: 'sync' is not sent through the sidecar: it would take over the connection to the store, "
          + "which many clients share; ask the store itself"
      ),
      (
        "DEBUG SLEEP 1", .stallsStore,
        "ERR MultiStore: 'debug sleep' is not sent through the sidecar: all clients of the store would wait, and give "
          + "it up in the end; ask the store itself"
      ),
      (
        "FLUSHDB", .emptiesStores,
        "ERR MultiStore: 'flushdb' would remove every key from the stores; set allow_flush: true for this instance to "
          + "have it executed on both"
      ),
      (
        "CONFIG GET x", .unlisted, "ERR MultiStore: 'config|get' is not listed, and unlisted_commands is `reject`"
      ),
      ("CLIENT ID", .inTransaction, "ERR MultiStore: 'client|id' is not allowed in a transaction"),
    ]
  )
  func errors(line: String, refusal: CommandRefusal, error: String) {
    #expect(refusal.error(for: Words(line).spec) == error)
  }

  private static func refusal(_ line: String) -> CommandRefusal? {
    let words = line.split(separator: " ").map(String.init)
    let command = CommandWriter.command(words)
    return Words(line).spec.refusal(of: command.span)
  }
}
