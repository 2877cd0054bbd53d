internal import Hiredis
internal import RESP

/// The result of a request: the encoded replies, and which of them are errors because a store could not be reached.
struct ClientReplies: Sendable {
  let bytes: [UInt8]
  /// By the index of the command; a transaction fails as a whole, at index 0.
  let failures: [Int: MultiStoreError]
}

/// The execution of one call's commands, in parts: commands that may go together form one. The flags are read for each
/// part, as for a client's next command. Loop-confined.
final class ClientRequest: ReplyOutput, BlockingSink, RoutingWaiter {
  private let core: ClientCore
  private let commands: [ClientCommand]
  private let isTransaction: Bool
  private let completion: @Sendable (ClientReplies) -> Void
  /// The index of the first command that was not sent yet.
  private var next = 0
  /// The index of the first command in flight.
  private var current = 0
  private var failures: [Int: MultiStoreError] = [:]
  /// The connection that was opened for the current command.
  private var dedicated: HiredisConnection?
  /// The store that the current command was sent to, if that was one store alone.
  private var store: Store?

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
  }

  /// Executes the next part. If it is answered immediately, the following ones are sent in the same turn.
  func proceed() {
    while next < commands.count {
      // A flip does not wait for the parts that are not in flight. Under the routing of an earlier one, their writes
      // would reach other stores than those of all other calls, or the same ones in another order.
      guard let routing = core.multiStore.routing(orNotify: self) else { return }
      current = next
      let command = commands[next]
      if let refusal = refusal(of: isTransaction ? commands[...] : commands[next...next], routing) {
        refuse(refusal)
        next = isTransaction ? commands.count : next + 1
        continue
      }
      switch command.way {
      case .batched: return executeBatch(routing)
      case .isolated, .dedicated, .blocking:
        next += 1
        if send(command, to: core.multiStore.store(routing.defaultStore), routing) { return }
      }
    }
    completion(ClientReplies(bytes: output.bytes, failures: failures))
    core.didComplete()
  }

  func passOn(_ replies: Span<UInt8>) {
    output.append(replies)
  }

  func executionDidFinish() {
    replied()
  }

  func routingDidSettle() {
    proceed()
  }

  func executionDidFail(_ failure: ConnectionFailure, at index: Int, on role: StoreRole) {
    failures[current + index] = MultiStoreError(failure, of: role)
  }

  /// Does nothing: a call is not cancelled.
  func executionWasCalledOff() {}
  func executionHasNoReply() {}

  func connectionOfItsOwn(to role: StoreRole) -> HiredisConnection? {
    closeDedicated()
    let store = core.multiStore.store(role)
    dedicated = core.openDedicated(to: store, hasDeadline: false)
    if dedicated == nil { failures[current] = MultiStoreError(.storeUnavailable, Self.noConnection(to: store)) }
    return dedicated
  }

  private func executeBatch(_ routing: Routing) {
    let batch = core.multiStore.makeBatch()
    repeat {
      let command = commands[next]
      batch.append(command.bytes.span, id: command.id)
      next += 1
    } while next < commands.count && commands[next].way == .batched
      && (isTransaction || refusal(of: commands[next...next], routing) == nil)
    let kind: BatchKind = isTransaction ? .multi : batch.count == 1 ? .single : .pipelined
    core.multiStore.execute(batch, as: kind, routing: routing, for: self)
  }

  /// Sends a command to the default store over a connection that is not the ordinary one. Its changes are copied where
  /// they are known.
  ///
  /// - Returns: false if it was refused and answered.
  private func send(_ command: ClientCommand, to store: Store, _ routing: Routing) -> Bool {
    let multiStore = core.multiStore
    let spec = CommandTable.spec(command.id)
    if multiStore.refusal(of: spec) == .unlisted {
      multiStore.methodMissing(spec.id)
      refuse(.unsupportedCommand, "'\(spec.name)' is not listed, and unlisted commands are rejected")
      return false
    }
    self.store = store
    if multiStore.database.instance.runsOnBoth(spec, routing) {
      multiStore.execute(batch(of: command), as: .single, routing: routing, for: self)
      return true
    }
    guard let connection = connection(to: store, for: command, spec) else {
      refuse(.storeUnavailable, Self.noConnection(to: store))
      return false
    }
    multiStore.willExecuteOnDefaultStoreAlone(command.bytes.span, spec, routing: routing)
    if command.way == .blocking {
      multiStore.executeBlocking(batch(of: command), routing: routing, over: connection, for: self)
      return true
    }
    let awaitsKeys = multiStore.database.awaitsKeys(command.bytes.span, spec, routing: routing)
    if awaitsKeys || routing.isDual && spec.effect != .none {
      multiStore.execute(batch(of: command), as: .single, routing: routing, over: connection, for: self)
    } else {
      connection.send(command.bytes.span, to: self, token: 0)
    }
    return true
  }

  private func batch(of command: ClientCommand) -> CommandBatch {
    let batch = core.multiStore.makeBatch()
    batch.append(command.bytes.span, id: command.id)
    return batch
  }

  /// Returns the connection for a command; nil if it needs one of its own, and none is left.
  private func connection(to store: Store, for command: ClientCommand, _ spec: CommandSpec) -> HiredisConnection? {
    switch command.way {
    case .batched, .isolated: return store.isolated(for: spec)
    case .dedicated, .blocking:
      dedicated = core.openDedicated(to: store, hasDeadline: command.way == .dedicated)
      return dedicated
    }
  }

  private static func noConnection(to store: Store) -> String {
    "\(store.role.label) store: too many connections for single commands are open, or the client is being closed"
  }

  /// The reason why commands are not sent to both stores.
  private struct Refusal {
    let clientError: String
    /// Whether it is the error reply of a store that does not know the script: the caller sends the text then.
    var isReply = false
  }

  /// Returns the first reason why `commands` can't be executed on both stores; nil if there is none.
  private func refusal(of commands: ArraySlice<ClientCommand>, _ routing: Routing) -> Refusal? {
    guard routing.isDual else { return nil }
    let instance = core.multiStore.database.instance
    for command in commands {
      let spec = CommandTable.spec(command.id)
      if let refusal = instance.refusal(toReachDatabaseOf: command.bytes.span, spec) {
        return Refusal(clientError: refusal.clientError)
      }
      if let refusal = instance.refusal(ofScript: command.bytes.span, spec, routing) {
        return Refusal(clientError: refusal.clientError, isReply: refusal == .unknownDigest)
      }
    }
    return nil
  }

  private func refuse(_ refusal: Refusal) {
    output.appendError(refusal.clientError)
    if !refusal.isReply { failures[current] = MultiStoreError(.unsupportedCommand, refusal.clientError) }
  }

  private func refuse(_ code: MultiStoreError.Code, _ message: String) {
    output.appendError("ERR MultiStore: \(message)")
    failures[current] = MultiStoreError(code, message)
  }

  private func replied() {
    closeDedicated()
    proceed()
  }

  private func closeDedicated() {
    if let connection = dedicated.take() { core.closeDedicated(connection) }
  }
}

/// Replies that arrive over a connection outside of ``Database/execute(_:as:routing:over:for:)``.
extension ClientRequest: ReplyReceiver {
  func receive(_ reply: borrowing Reply, token: Int) {
    reply.encode(into: &output)
    replied()
  }

  func receive(failure: ConnectionFailure, token: Int) {
    let role = (store ?? core.multiStore.defaultStore).role
    output.appendError(failure.clientError(store: role))
    failures[current] = MultiStoreError(failure, of: role)
    replied()
  }
}
