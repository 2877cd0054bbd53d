internal import Hiredis
internal import Logging
internal import RESP

/// Copies the default store's functions to the other store when dual writes begin. Both get FUNCTION LOAD from then on,
/// but functions that were loaded before would be missing after a move of the default store. Loop-confined.
final class FunctionCopy: ReplyReceiver {
  private static let dumpToken = 0
  private static let restoreToken = 1

  private unowned let instance: Instance
  private let target: Store

  init(to target: Store, of instance: Instance) {
    self.target = target
    self.instance = instance
  }

  /// Asks `source` for its functions. A server without functions (before Redis 7.0) answers with an error, and then
  /// there is nothing to do.
  func begin(from source: Store) {
    send("DUMP", [], to: source, token: Self.dumpToken)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    if token == Self.dumpToken, reply.kind == .string {
      send("RESTORE", [reply.bytes.array, Array("REPLACE".utf8)], to: target, token: Self.restoreToken)
    } else if token == Self.restoreToken, reply.kind == .error {
      failed(String(decoding: reply.bytes.array, as: UTF8.self))
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    failed(failure.description)
  }

  private func send(_ subcommand: StaticString, _ arguments: [[UInt8]], to store: Store, token: Int) {
    var command = ByteBuffer()
    command.appendCommand(expecting: 2 + arguments.count) { command in
      command.append("FUNCTION")
      command.append(subcommand)
      for argument in arguments { command.append(argument.span) }
    }
    store.ordinary.send(command.span, to: self, token: token)
  }

  private func failed(_ reason: String) {
    instance.logger.warning(
      "Functions could not be copied: load them into the store by hand before it becomes the default",
      metadata: [
        "instance_name": "\(instance.configuration.name)", "store": "\(target.role.label)", "reason": "\(reason)",
      ]
    )
  }
}
