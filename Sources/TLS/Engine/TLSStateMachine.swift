/// The life of one TLS connection: handshake, data, the end of either direction, failure.
///
/// It decides and does no I/O. GnuTLS' results come in as ``TLSResult``; each event returns the next step.
struct TLSStateMachine {
  enum State: Equatable {
    case handshaking
    case open
    /// The peer has said that it sends no more; this side may still write.
    case peerClosed
    /// This side has said that it sends no more. What the peer sends is dropped.
    case closed
    case failed(TLSFailure)
  }

  /// The next step after input has arrived.
  enum Step: Equatable {
    /// Continue the handshake.
    case shakeHands
    /// Read a record.
    case readRecord
    /// Wait for more input.
    case wait
    /// Send the alert that tells the peer about a failure, and stop.
    case sendAlert
  }

  private(set) var state = State.handshaking
  /// The side of the connection that this is.
  private let side: TLSSide

  init(side: TLSSide) {
    self.side = side
  }

  /// Whether plaintext can be written.
  var isWritable: Bool { state == .open || state == .peerClosed }

  /// Records that ciphertext has arrived, or that the handshake can begin.
  func inputDidArrive() -> Step {
    switch state {
    case .handshaking: .shakeHands
    case .open: .readRecord
    case .peerClosed, .closed, .failed: .wait
    }
  }

  /// Records the result of a step of the handshake.
  mutating func handshakeDidReturn(_ result: TLSResult) -> Step {
    guard state == .handshaking else { Self.impossible("a handshake returned", in: state) }
    switch result {
    case .done:
      state = .open
      return .readRecord
    case .again: return .wait
    case .interrupted: return .shakeHands
    case .failed(let failure): return fail(failure)
    }
  }

  /// Records the result of reading a record. `.done` with 0 bytes is the peer's close-notify.
  mutating func recordDidReturn(_ result: TLSResult) -> Step {
    guard state == .open else { Self.impossible("a record came", in: state) }
    switch result {
    case .done(count: 0):
      state = .peerClosed
      return .wait
    case .done, .interrupted: return .readRecord
    case .again: return .wait
    case .failed(let failure): return fail(failure)
    }
  }

  /// Records that plaintext could not be encrypted.
  mutating func writeDidFail(_ failure: TLSFailure) {
    guard isWritable else { Self.impossible("a write failed", in: state) }
    state = .failed(failure)
  }

  /// Records that the peer's transport has ended without a close-notify. Returns false if that is no news.
  mutating func transportDidEnd() -> Bool {
    switch state {
    case .handshaking: state = .failed(.closedDuringHandshake(at: side))
    case .open: state = .failed(.closedWithoutEnd)
    case .peerClosed, .closed, .failed: return false
    }
    return true
  }

  /// Records that this side closes. Returns whether a close-notify is to be sent.
  mutating func close() -> Bool {
    let wasWritable = isWritable
    if case .failed = state { return false }
    state = .closed
    return wasWritable
  }

  private mutating func fail(_ failure: TLSFailure) -> Step {
    state = .failed(failure)
    return .sendAlert
  }

  private static func impossible(_ event: String, in state: State) -> Never {
    preconditionFailure("\(event) while TLS was in state \(state)")
  }
}

/// The result of a call of GnuTLS, taken apart where the call returns.
enum TLSResult: Equatable {
  /// It succeeded; the number of bytes for records, 0 for a handshake.
  case done(count: Int)
  /// It needs more input.
  case again
  /// It has to be called again: a warning, or a message that is no data.
  case interrupted
  case failed(TLSFailure)
}
