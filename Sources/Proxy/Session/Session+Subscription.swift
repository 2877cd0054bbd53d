internal import MultiStore
internal import RESP

/// Subscriptions: their beginning and end, and the commands that a client which speaks RESP2 may send while it has
/// some. A client that speaks RESP3 may send any command.
extension Session {
  /// Whether subscriptions restrict what the client may send, and mix their messages with its replies.
  @inline(__always)
  var isInSubscriberMode: Bool { subscription != nil && !delivery.isUpgrading }

  /// Executes a command that begins or ends a subscription. Nothing is in flight.
  func takePubSub(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ argumentCount: Int) {
    if subscription == nil {
      switch spec.id {
      case .unsubscribe, .punsubscribe, .sunsubscribe:
        let bytes = copy bytes
        let version = delivery.protocolVersion
        return writeUnasked { Subscription.answerUnsubscribe(bytes, spec, version, into: &$0) }
      default:
        guard !isGone, let opened = instance.openSubscription(for: self) else {
          return output.appendError(OwnConnection.limitIsReached)
        }
        subscription = opened
      }
    }
    listen(bytes, spec, argumentCount)
  }

  /// Executes any command in subscriber mode except QUIT and RESET. Nothing is in flight.
  func takeSubscribed(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ argumentCount: Int) {
    guard spec.id != .other, !spec.traits.contains(.hasSubcommands) || argumentCount == 1 else {
      return output.appendError(ServerWords.unknownCommand(bytes, spec))
    }
    guard spec.accepts(argumentCount: argumentCount), spec.id != .ping || argumentCount <= 2 else {
      return refuseSubscribed(spec, because: ServerWords.argumentsReason(spec))
    }
    guard spec.commandClass == .pubsub || spec.id == .ping else {
      return refuseSubscribed(
        spec,
        because:
          "Can't execute '\(spec.name)': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed "
          + "in this context"
      )
    }
    listen(bytes, spec, argumentCount)
  }

  /// Refuses a command in subscriber mode. Servers abort the transaction at EXEC, also where none is open.
  private func refuseSubscribed(_ spec: CommandSpec, because reason: String) {
    if spec.id == .exec { abortTransaction(because: reason) } else { output.appendError("ERR \(reason)") }
  }

  /// Leaves subscriber mode, and returns the connection.
  func releaseSubscription() {
    guard let subscription else { return }
    self.subscription = nil
    subscription.close()
  }

  private func listen(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ argumentCount: Int) {
    guard let subscription else { return }
    execute { subscription.execute(bytes, spec, argumentCount: argumentCount) }
  }
}
