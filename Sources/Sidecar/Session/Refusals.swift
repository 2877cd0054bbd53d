internal import RESP

extension CommandSpec {
  /// The error for a command that is sent to no store, with the reason; nil for all others.
  var refusal: String? {
    guard traits.contains(.refused) else { return nil }
    let reason =
      switch name.description {
      case "monitor", "sync", "psync", "replconf", "cluster|syncslots":
        "it would take over the connection to the store, which many clients share"
      case "replicaof", "slaveof", "failover":
        "it would change the store's role under all of its clients"
      case "swapdb":
        "the two stores would have to do it at one moment, in the midst of all clients' commands"
      case "shutdown":
        "it would end the store for all of its clients"
      case "client|pause":
        "the sidecar could hold back its own clients alone"
      default:
        "it would hold for the connection to the store, which many clients share"
      }
    return Self.refusal(name.description, because: reason)
  }

  /// The error for one command of a line that is not refused as a whole; nil for all others.
  func refusal(of command: Span<UInt8>) -> String? {
    guard id == .debug, let subcommand = ArgumentCursor(command).argument(at: 1), subcommand.isKeyword("SLEEP") else {
      return refusal
    }
    return Self.refusal("debug sleep", because: "all clients of the store would wait, and give it up in the end")
  }

  private static func refusal(_ name: String, because reason: String) -> String {
    "ERR MultiStore: '\(name)' is not sent through the sidecar: \(reason); ask the store itself"
  }
}
