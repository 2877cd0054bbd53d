internal import RESP

/// Clients with subscriptions.
extension Instance {
  /// Opens a subscription on the default store for a client that has none; nil at the limit of dedicated connections.
  ///
  /// - Parameter sink: receives the store's messages; it closes the subscription before it is released.
  public func openSubscription(for sink: any SubscriptionSink) -> Subscription? {
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

  /// Moves the subscriptions that were late for the last move of the default store. Called periodically.
  func moveLateSubscriptions() {
    guard routingState.flip.isSettled else { return }
    let hasPrepared = subscriptions.prepareLate(for: routingState.flip.current.defaultStore, now: loop.now)
    if hasPrepared { holdForLateMove() }
  }
}
