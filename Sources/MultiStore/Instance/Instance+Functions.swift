internal import EventLoop
internal import Logging
internal import RESP

/// The functions on both stores. Both get each change; what the other store may have missed is repaired by a copy of
/// all functions.
extension Instance {
  /// The reason why the store that is not the default lacks functions, or has too many; nil if that is not known, and
  /// without dual write, since nothing is copied then.
  public var obstacleToFunctions: String? {
    loop.preconditionOnLoop()
    return routingState.flip.current.isDual ? functionCopies.obstacle : nil
  }

  /// Copies the functions to the other store if that is due and both stores are connected. Called when one of these
  /// conditions may have changed, and periodically.
  ///
  /// - Parameter isHurried: whether to begin without the pause after a copy that failed.
  func copyFunctions(isHurried: Bool = false) {
    guard routingState.flip.current.isDual else { return }
    let (source, target) = (family(defaultRole).first, family(defaultRole.other).first)
    guard source.isReady, target.isReady,
      let policy = functionCopies.begin(at: loop.now, isHurried: isHurried)
    else { return }
    let copy = FunctionCopy(to: target, policy, of: self)
    functionCopy = copy
    copy.begin(from: source)
  }

  /// Handles the end of a copy. A flip that makes the target the default store waits for it.
  func functionCopyDidEnd(_ copy: FunctionCopy, _ failure: FunctionCopyState.Failure?) {
    guard functionCopy === copy else { return }
    functionCopy = nil
    var metadata: Logger.Metadata = [
      "instance_name": "\(configuration.name)", "store": "\(copy.target.role.label)",
    ]
    if let failure {
      if functionCopies.failed(failure, at: loop.now) {
        metadata["reason"] = "\(failure.reason)"
        metadata["hint"] = "the copy is repeated when the store connects, and every ten seconds if that may help"
        logger.warning(
          "Functions could not be copied: load them into the store by hand before it becomes the default",
          metadata: metadata
        )
      }
    } else {
      if functionCopies.copied() { logger.notice("Functions copied, which had failed before", metadata: metadata) }
      copyFunctions()
    }
    advanceRouting()
  }

  /// Handles the default store's reply to a command that changes its functions while dual write is on.
  ///
  /// - Parameter isExecuted: whether it is no error, so that the other store gets the command as well.
  func changeOfFunctionsWasAnswered(_ command: Span<UInt8>, _ spec: CommandSpec, isExecuted: Bool) {
    if isExecuted { functionCopies.functionsDidChange(spec.functionPolicy) }
    guard configuration.scripts == .runOnBoth else { return }
    if isExecuted, spec.id == .functionLoad { functions.note(command, isLoaded: true) }
    functions.askAgain(family(defaultRole).first)
  }

  /// Makes the functions of the new default store count.
  func noteMoveOfFunctions() {
    functionCopy = nil
    if functionCopies.defaultStoreMoved() { reportMissedFunctions() }
  }

  /// Reports that the default store has missed a change of the functions.
  func reportMissedFunctions() {
    logger.error(
      "The default store moved to a store that may lack functions, or have older ones: load them by hand",
      metadata: ["instance_name": "\(configuration.name)", "store": "\(defaultRole.label)"]
    )
  }
}

extension CommandSpec {
  /// Whether it changes a store's functions. The servers flag no other command of its class as a write.
  var changesFunctions: Bool { commandClass == .script && traits.contains(.writes) }

  /// The policy of the copy that repairs a store which has missed this change of the functions.
  var functionPolicy: FunctionCopyState.Policy { id == .functionLoad ? .replace : .flush }
}
