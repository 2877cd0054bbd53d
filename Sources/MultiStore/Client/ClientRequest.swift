internal import Hiredis
internal import RESP

/// What a request gave: the replies as they came, and which of them are errors because a store could not be asked.
struct ClientReplies: Sendable {
  let bytes: [UInt8]
  /// By the index of the command; a transaction fails as a whole, at index 0.
  let failures: [Int: MultiStoreError]
}

/// One call's commands on their way through the instance: one after the other, those that may go together as one batch.
/// The flags are looked at once, when it begins. Loop-confined.
final class ClientRequest: ReplySink {
  private let core: ClientCore
  private let commands: [ClientCommand]
  private let isTransaction: Bool
  private let routing: Routing
  private let completion: @Sendable (ClientReplies) -> Void
  /// The first command that was not sent yet.
  private var next = 0
  /// The first command of what is being executed.
  private var current = 0
  private var failures: [Int: MultiStoreError] = [:]
  /// The connection that was opened for the present command.
  private var dedicated: HiredisConnection?

  init(
    _ commands: [ClientCommand],
    isTransaction: Bool,
    core: ClientCore,
    completion: @escaping @Sendable (ClientReplies) -> Void
  ) {
    self.commands = commands
    self.isTransaction = isTransaction
    self.core = core
    self.completion = completion
    routing = core.multiStore.routing
  }

  /// Executes what comes next. What is answered at once is followed by its successor in the same turn.
  func proceed() {
    while next < commands.count {
      current = next
      let command = commands[next]
      switch command.way {
      case .batched: return executeBatch()
      case .isolated, .dedicated:
        next += 1
        if send(command) { return }
      }
    }
    completion(ClientReplies(bytes: output.bytes, failures: failures))
    core.didComplete()
  }

  override func executionDidFinish() {
    proceed()
  }

  override func executionDidFail(_ failure: ConnectionFailure, at index: Int, on role: StoreRole) {
    failures[current + index] = MultiStoreError(failure, of: role)
  }

  private func executeBatch() {
    let batch = core.multiStore.makeBatch()
    while next < commands.count, commands[next].way == .batched {
      let command = commands[next]
      batch.append(command.bytes.span, id: command.id)
      next += 1
    }
    let kind: BatchKind = isTransaction ? .multi : batch.count == 1 ? .single : .pipelined
    core.multiStore.execute(batch, as: kind, routing: routing, for: self)
  }

  /// Sends a command to the default store alone.
  ///
  /// - Returns: false if it was refused and answered.
  private func send(_ command: ClientCommand) -> Bool {
    let multiStore = core.multiStore
    let spec = CommandTable.spec(command.id)
    let store = multiStore.store(routing.defaultStore)
    if spec.commandClass == .unlisted, multiStore.rejectsUnlistedCommands, !spec.traits.contains(.notCounted) {
      multiStore.methodMissing(spec.id)
      refuse(.unsupportedCommand, "'\(spec.name)' is not listed, and unlisted commands are rejected")
      return false
    }
    var connection = store.isolated
    if command.way == .dedicated {
      guard let opened = core.openDedicated(to: store) else {
        refuse(.storeUnavailable, "\(store.role.label) store: too many connections for single commands are open")
        return false
      }
      dedicated = opened
      connection = opened
    }
    multiStore.willExecuteOnDefaultStoreAlone(command.bytes.span, spec, routing: routing)
    connection.send(command.bytes.span, to: self, token: 0)
    return true
  }

  private func refuse(_ code: MultiStoreError.Code, _ message: String) {
    output.appendError("ERR MultiStore: \(message)")
    failures[current] = MultiStoreError(code, message)
  }

  private func replied() {
    if let dedicated {
      self.dedicated = nil
      core.closeDedicated(dedicated, to: core.multiStore.store(routing.defaultStore))
    }
    proceed()
  }
}

/// What comes over a connection outside of ``MultiStore/execute(_:as:routing:over:for:)``.
extension ClientRequest: ReplyReceiver {
  func receive(_ reply: borrowing Reply, token: Int) {
    reply.encode(into: &output)
    replied()
  }

  func receive(failure: ConnectionFailure, token: Int) {
    output.appendError(failure.clientError(store: routing.defaultStore))
    failures[current] = MultiStoreError(failure, of: routing.defaultStore)
    replied()
  }
}
