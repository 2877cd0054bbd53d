/// Decides when a dispensable store that did not answer in time is used again.
///
/// A connection proves little: the kernel accepts connections to a server that hangs, and a server whose writes are
/// paused answers a handshake. If the next client's command were the test, that client would wait for the timeout, and
/// again after each reconnect. So the store has to answer probes of the sidecar's own for a time that doubles with each
/// timeout in a row.
struct Probation {
  /// The time for which the store has to answer probes after the first timeout: longer than a store that flaps every
  /// second answers in a row.
  static let shortestProof = Duration.seconds(2)
  /// The same after many timeouts in a row.
  static let longestProof = Duration.seconds(60)
  /// The pause between an answer and the next probe.
  static let probeInterval = Duration.milliseconds(100)
  /// The interval beyond which timeouts are not in a row.
  static let forgivenAfter = Duration.seconds(300)

  private enum State {
    /// No timeout that counts.
    case trusted
    /// A command timed out, and the store has not been connected since.
    case suspect(timeouts: Int)
    /// Probes are answered since `since`, in nanoseconds of the loop's clock.
    case proving(timeouts: Int, since: UInt64)
    /// It has proved itself at `at`; the timeouts are not forgiven yet.
    case paroled(timeouts: Int, at: UInt64)
  }

  /// The next step of a store on probation.
  enum Step: Equatable {
    /// Commands may be sent.
    case use
    /// The next probe is to be sent after this pause.
    case probe(after: Duration)
  }

  private var state = State.trusted

  /// Records that a command got no reply in time.
  mutating func commandTimedOut(at now: UInt64) {
    switch state {
    case .trusted: state = .suspect(timeouts: 1)
    case .paroled(let timeouts, let at):
      state = .suspect(timeouts: Self.isLonger(now &- at, than: Self.forgivenAfter) ? 1 : timeouts + 1)
    case .suspect, .proving: preconditionFailure("a command was sent to a store in state \(state)")
    }
  }

  /// Records that a new connection has finished its handshake.
  mutating func connected(at now: UInt64) -> Step {
    switch state {
    case .trusted, .paroled: return .use
    case .suspect(let timeouts), .proving(let timeouts, _):
      state = .proving(timeouts: timeouts, since: now)
      return .probe(after: .zero)
    }
  }

  /// Records that a probe was answered.
  mutating func probeAnswered(at now: UInt64) -> Step {
    guard case .proving(let timeouts, let since) = state else {
      preconditionFailure("a probe was answered in state \(state)")
    }
    let isProved = Self.isLonger(now &- since, than: Self.proof(after: timeouts))
    guard isProved else { return .probe(after: Self.probeInterval) }
    state = .paroled(timeouts: timeouts, at: now)
    return .use
  }

  /// Trusts the store again, regardless of earlier timeouts: it is not dispensable any more.
  mutating func pardon() {
    state = .trusted
  }

  /// Returns the time for which a store has to answer probes.
  static func proof(after timeouts: Int) -> Duration {
    var proof = shortestProof
    for _ in 1..<max(1, timeouts) {
      guard proof < longestProof else { break }
      proof *= 2
    }
    return min(proof, longestProof)
  }

  private static func isLonger(_ nanoseconds: UInt64, than duration: Duration) -> Bool {
    .nanoseconds(Int64(clamping: nanoseconds)) >= duration
  }
}
