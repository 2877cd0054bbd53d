internal import RESP

/// Clients that listen.
extension Instance {
  /// A subscription for a client that has none, on the default store; nil when as many connections are open as may be.
  ///
  /// - Parameter sink: gets what the store says; it closes the subscription before it goes.
  public func openSubscription(for sink: ReplySink) -> Subscription? {
    let store = family(routingState.flip.current.defaultStore).first
    guard let subscription = Subscription(self, store: store, sink: sink) else { return nil }
    subscriptions.insert(subscription)
    return subscription
  }

  func subscriptionDidClose(_ subscription: Subscription) {
    subscriptions.remove(subscription)
    advanceRouting()
  }

  func subscriptionDidMove() {
    metrics.subscriptionMove(.moved)
    subscriptions.didMove()
    advanceRouting()
  }

  /// Takes along those that could not move when the default store did. Called now and then.
  func moveLateSubscriptions() {
    guard routingState.flip.isSettled else { return }
    let hasPrepared = subscriptions.prepareLate(for: routingState.flip.current.defaultStore, now: loop.now)
    if hasPrepared { holdForLateMove() }
  }
}
