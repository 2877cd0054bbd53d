internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import RESP

/// The answers of the sidecar itself: to commands about the client's own connection, and refusals.
extension Session {
  /// Answers a command that is not simply sent to a store. Nothing is in flight, so the answer is written immediately.
  func answer(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ argumentCount: Int, _ routing: Routing) {
    finishTurn()
    let facts = CommandDispatch.Facts(
      isLoggedIn: isAuthenticated,
      isInTransaction: transaction != nil,
      isSubscribed: isInSubscriberMode,
      asksForLoginFirst: dialect.contains(.asksForLoginFirst)
    )
    switch CommandDispatch.answer(to: spec, argumentCount: argumentCount, facts) {
    case .notLoggedIn:
      let refusal = "NOAUTH Authentication required."
      if spec.id == .exec { abortTransaction(because: refusal) } else { output.appendError(refusal) }
    case .unknown: output.appendError(ServerWords.unknownCommand(bytes, spec))
    case .quit:
      output.appendStatus("OK")
      closeAfterReplies()
    case .reset: reset()
    case .subscriber: takeSubscribed(bytes, spec, argumentCount)
    case .malformedExec: abortTransaction(because: ServerWords.argumentsReason(spec))
    case .queued: queue(bytes, spec, argumentCount: argumentCount, routing)
    case .wrongNumberOfArguments: output.appendError(ServerWords.wrongNumberOfArguments(spec))
    case .transaction: takeTransactionCommand(bytes, spec, routing)
    case .subscription: takePubSub(bytes, spec, argumentCount)
    case .connection: takeConnectionCommand(bytes, spec, argumentCount)
    }
  }

  private func takeConnectionCommand(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ argumentCount: Int) {
    if let refusal = spec.refusal(of: bytes) { return output.appendError(refusal.error(for: spec)) }
    let arguments = ArgumentList(bytes)
    if spec.labelID == .client { return ClientCommands(session: self).take(bytes, arguments, spec) }
    switch spec.id {
    case .ping:
      guard argumentCount <= 2 else { return output.appendError(ServerWords.wrongNumberOfArguments(spec)) }
      guard database.defaultStore.isStuck else { return pong(arguments) }
      let command = bytes.array
      answerUnlessStoreIsBusy { $0.pong(ArgumentList(command.span)) }
    case .echo: output.appendBulk(arguments.argument(at: 1))
    case .auth: authenticate(arguments)
    case .hello: hello(arguments, shape: spec.replyShape(of: bytes, in: dialect))
    case .monitor: monitor()
    default: select(arguments.argument(at: 1))
    }
  }

  private func pong(_ arguments: borrowing ArgumentList) {
    guard arguments.argumentCount == 2 else { return output.appendStatus("PONG") }
    output.appendBulk(arguments.argument(at: 1))
  }

  private func reset() {
    if let transaction { database.recycle(transaction.batch) }
    transaction = nil
    own.endWatch()
    own.close()
    releaseSubscription()
    server.endMonitoring(self)
    use(server.multiStore.database)
    delivery.reset(&output)
    client.reset()
    isAuthenticated = server.credentials == nil
    logInByCertificate()
    output.appendStatus("RESET")
  }
}
