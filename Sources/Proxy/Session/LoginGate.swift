internal import EventLoop
internal import PrometheusExposition

/// Delays the logins of an instance's clients as ``LoginDelays`` decides. Confined to the instance's loop.
final class LoginGate {
  /// The interval of the checks for delays that are over.
  private static let interval = Duration.milliseconds(20)

  private let loop: EventLoop
  private let metrics: ClientMetrics
  /// Returns the client with a number.
  private let client: (Int) -> Session?
  private var delays = LoginDelays()
  private var timer: LoopTimer?

  init(on loop: EventLoop, metrics: ClientMetrics, client: @escaping (Int) -> Session?) {
    self.loop = loop
    self.metrics = metrics
    self.client = client
  }

  /// Whether the client's login may be checked now. Otherwise its `loginMayBeTried` is called later.
  func mayTry(_ session: Session) -> Bool {
    guard !delays.isEmpty, !delays.mayTry(session.id, from: network(of: session), at: loop.now) else { return true }
    metrics.loginsDelayed.increment()
    return false
  }

  /// Records that the client has given a wrong name or password.
  func didFail(_ session: Session) {
    metrics.loginFailed()
    let isFirst = delays.isEmpty
    if delays.didFail(from: network(of: session), at: loop.now) { metrics.loginDelaysShared.increment() }
    guard isFirst else { return }
    let timer = timer ?? LoopTimer(on: loop) { [unowned self] in look() }
    timer.schedule(after: Self.interval, repeating: Self.interval)
    self.timer = timer
  }

  /// Records that the client has logged in, so that the next one need not wait.
  func didSucceed(_ session: Session) {
    guard !delays.isEmpty, let id = delays.next(from: network(of: session), at: loop.now) else { return }
    client(id)?.loginMayBeTried()
  }

  /// Removes a client that no longer waits.
  ///
  /// - Returns: whether it was in a line.
  func remove(_ session: Session) -> Bool {
    !delays.isEmpty && delays.remove(session.id, from: network(of: session))
  }

  func close() {
    timer?.close()
    timer = nil
  }

  private func look() {
    for id in delays.due(at: loop.now) { client(id)?.loginMayBeTried() }
    if delays.isEmpty { timer?.cancel() }
  }

  private func network(of session: Session) -> PeerNetwork { PeerNetwork(peer: session.stream.peer) }
}
