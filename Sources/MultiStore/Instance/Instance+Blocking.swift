/// Blocked commands of all databases.
extension Instance {
  /// Cancels the blocked command of `sink`. It is answered as after its timeout, or with an element that arrived first.
  /// It stays blocked if the store can't unblock it.
  ///
  /// - Returns: whether there is such a command.
  public func callOffBlockedCommands(of sink: any ReplySink) -> Bool { blockedCommands.cancel(of: sink) }

  func retryUnblockingLater() {
    blockedCommands.retryLater(isSettled: routingState.flip.isSettled, on: loop)
  }

  /// Handles a command that its store can't unblock: a flip waits for it no longer.
  func commandWasStranded() {
    if routingState.flip.isSettled { retryUnblockingLater() } else { advanceRouting() }
  }

  func didPark(_ command: BlockedCommand) {
    if routingState.flip.isSettled { command.resume(routingState.flip.current) } else { advanceRouting() }
  }
}
