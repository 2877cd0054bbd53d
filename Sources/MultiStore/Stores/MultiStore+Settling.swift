/// Waiting for what goes on after its client was answered.
extension MultiStore {
  /// Calls `then` once nothing is in flight to either store over a shared connection: every write that the default
  /// store alone has acknowledged has its copy then, unless that has failed. It may be before this call returns. What
  /// is begun meanwhile is waited for as well.
  public func whenSettled(_ then: @escaping () -> Void) {
    loop.preconditionOnLoop()
    guard let busy = [secondary, primary].compactMap({ $0 }).first(where: { $0.family.isBusy }) else { return then() }
    busy.fence { [weak self] in
      // One step of a copy may have led to the next.
      self?.whenSettled(then)
    }
  }
}
