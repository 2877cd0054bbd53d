internal import Hiredis
internal import RESP

/// One copy of all functions of the default store to the other store; see ``FunctionCopyState``. Loop-confined.
final class FunctionCopy: ReplyReceiver {
  private static let dumpToken = 0
  private static let restoreToken = 1

  /// The size of a dump without functions: a version and a checksum.
  private static let emptyDumpBytes = 10

  let target: Store
  private unowned let instance: Instance
  private let policy: FunctionCopyState.Policy
  /// Whether the default store has no functions.
  private var isEmpty = false

  init(to target: Store, _ policy: FunctionCopyState.Policy, of instance: Instance) {
    self.target = target
    self.policy = policy
    self.instance = instance
  }

  /// Asks `source` for its functions.
  func begin(from source: Store) {
    send("DUMP", [], to: source, token: Self.dumpToken)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    let failure = Self.failure(reply, token)
    // A server without functions (before Redis 7.0) does not know the commands: it has none to copy, and none too many.
    let hasNone = failure?.kind == .lasting && (token == Self.dumpToken || isEmpty)
    guard token == Self.dumpToken, failure == nil else {
      return instance.functionCopyDidEnd(self, hasNone ? nil : failure)
    }
    isEmpty = reply.bytes.count <= Self.emptyDumpBytes
    // If the default store has moved meanwhile, the functions of the target count.
    guard instance.functionCopy === self else { return }
    let policy = policy == .flush ? "FLUSH" : "REPLACE"
    send("RESTORE", [reply.bytes.array, Array(policy.utf8)], to: target, token: Self.restoreToken)
  }

  func receive(failure: ConnectionFailure, token: Int) {
    instance.functionCopyDidEnd(self, FunctionCopyState.Failure(reason: failure.description, kind: .passing))
  }

  /// Returns the failure of a copy with an error reply; nil for other replies. Errors about the state of a server or
  /// its users, such as LOADING and NOPERM, have codes of their own.
  private static func failure(_ reply: borrowing Reply, _ token: Int) -> FunctionCopyState.Failure? {
    guard reply.kind == .error else { return nil }
    let reason = String(decoding: reply.bytes.array, as: UTF8.self)
    let kind: FunctionCopyState.Failure.Kind =
      switch reply.knownErrorCode {
      case .generic: .lasting
      case .noPermission: token == dumpToken ? .forbidden : .lasting
      default: .passing
      }
    return FunctionCopyState.Failure(reason: reason, kind: kind)
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
}
