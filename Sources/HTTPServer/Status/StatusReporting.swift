/// What the status page shows. Called on the server's thread; it must not wait for an instance.
public protocol StatusReporting: Sendable {
  /// The present state of every instance.
  func report() -> StatusReport
}
