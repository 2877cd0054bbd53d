internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import RESP

/// What the sidecar answers itself: commands about the client's own connection, and refusals.
extension Session {
  /// A command that is not simply sent to a store. Nothing is in flight, so the answer can be written at once.
  func takeUncommon(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ argumentCount: Int, _ routing: Routing) {
    finishTurn()
    let isOpenToAll = spec.id == .auth || spec.id == .hello || spec.id == .quit || spec.id == .reset
    guard isAuthenticated || isOpenToAll else {
      let refusal = "NOAUTH Authentication required."
      return spec.id == .exec ? abortTransaction(because: refusal) : output.appendError(refusal)
    }
    if spec.id == .quit {
      output.appendStatus("OK")
      return closeAfterReplies()
    }
    if spec.id == .reset, argumentCount == 1 { return reset() }
    if subscription != nil { return takeSubscribed(bytes, spec, argumentCount) }
    if spec.id == .exec, argumentCount != 1 {
      return abortTransaction(because: "wrong number of arguments for 'exec' command")
    }
    let isQueued = spec.commandClass != .transaction || spec.id == .unwatch
    if transaction != nil, isQueued || !spec.accepts(argumentCount: argumentCount) {
      return queue(bytes, spec, argumentCount: argumentCount, routing)
    }
    guard spec.accepts(argumentCount: argumentCount) else {
      return output.appendError(ServerWords.wrongNumberOfArguments(spec))
    }
    switch spec.commandClass {
    case .transaction: takeTransactionCommand(bytes, spec, routing)
    case .pubsub: takePubSub(bytes, spec, argumentCount)
    default: takeConnectionCommand(bytes, spec, argumentCount)
    }
  }

  private func takeConnectionCommand(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ argumentCount: Int) {
    if let refusal = spec.refusal(of: bytes) { return output.appendError(refusal.error(for: spec)) }
    let arguments = ArgumentList(bytes)
    if spec.labelID == .client { return takeClientCommand(bytes, arguments, spec) }
    switch spec.id {
    case .ping:
      guard argumentCount <= 2 else { return output.appendError(ServerWords.wrongNumberOfArguments(spec)) }
      if argumentCount == 2 { output.appendBulk(arguments.argument(at: 1)) } else { output.appendStatus("PONG") }
    case .echo: output.appendBulk(arguments.argument(at: 1))
    case .auth: authenticate(arguments)
    case .hello: hello(arguments)
    default: select(arguments.argument(at: 1))
    }
  }

  private func reset() {
    if let transaction { multiStore.recycle(transaction.batch) }
    transaction = nil
    releaseWatch()
    releaseDedicated()
    releaseSubscription()
    use(server.multiStore)
    setReplyMode(.on)
    client.reset()
    isAuthenticated = server.credentials == nil
    output.appendStatus("RESET")
  }
}
