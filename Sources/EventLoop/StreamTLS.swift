public import TLS

/// The TLS of a listener's streams.
public struct ListenerTLS {
  let server: TLSServer
  let refusalOfPlaintext: [UInt8]

  /// - Parameters:
  ///   - server: makes the engine of each stream, and counts handshakes.
  ///   - refusalOfPlaintext: what a peer is sent that does not speak TLS, as it is, before it is disconnected.
  public init(_ server: TLSServer, refusalOfPlaintext: [UInt8]) {
    self.server = server
    self.refusalOfPlaintext = refusalOfPlaintext
  }
}

/// TLS of one stream: ciphertext on the side of the socket, plaintext on the side of the delegate.
final class StreamTLS {
  /// The plaintext that is encrypted before its records are offered to the socket, in bytes: a large reply is not kept
  /// twice.
  private static let sealedBytes = 64 * 1024

  let engine: TLSEngine
  let listener: ListenerTLS
  /// Whether the end of the handshake was noticed.
  private var isSecured = false

  /// - Throws: `TLSFailure` if the files of the listener's settings can't be used.
  init(_ listener: ListenerTLS) throws(TLSFailure) {
    self.listener = listener
    engine = try listener.server.makeEngine()
  }

  /// Counts the handshake once it is done; returns whether that is news.
  func noticeHandshake() -> Bool {
    guard !isSecured, let info = engine.info else { return false }
    isSecured = true
    listener.server.count(info)
    return true
  }

  /// Encrypts plaintext, and hands its records to `send`.
  func seal(_ plaintext: Span<UInt8>, send: (Span<UInt8>) -> Void) {
    var rest = plaintext
    while !rest.isEmpty {
      engine.write(rest.extracting(first: Self.sealedBytes))
      rest = rest.extracting(droppingFirst: Self.sealedBytes)
      if !rest.isEmpty { flush(send) }
    }
  }

  /// Hands all records that wait to `send`.
  func flush(_ send: (Span<UInt8>) -> Void) {
    while engine.outputCount > 0 {
      engine.withOutput { bytes in
        send(bytes.assumingMemoryBound(to: UInt8.self).span)
        return bytes.count
      }
    }
  }

  /// Drops the records that wait.
  func dropOutput() {
    engine.withOutput { $0.count }
  }
}

/// TLS of a stream, which its delegate need not know: it gets and writes plaintext.
extension Stream {
  /// The outcome of the handshake; nil for a plain stream, and before it is done.
  public var security: TLSConnectionInfo? { tls?.engine.info }

  /// Whether the handshake of TLS is not done yet; false for a plain stream.
  public var isShakingHands: Bool { tls?.engine.isHandshaking ?? false }

  /// The sentence with which the peer's certificate is refused; nil if it is accepted, or the stream is plain.
  public var certificateRefusal: String? { tls?.engine.clientRefusal }

  /// The names of the peer's certificate, which was verified; none for a plain stream.
  public var certificateNames: [String] { tls?.engine.clientNames ?? [] }

  func didReceive(_ ciphertext: Span<UInt8>, _ tls: StreamTLS) {
    tls.engine.receive(ciphertext, scratch: loop.plaintextBuffer) { plaintext in
      noticeHandshake(tls)
      delegate?.stream(self, didRead: plaintext)
      return isOpen
    }
    guard isOpen else { return }
    noticeHandshake(tls)
    if let failure = tls.engine.failure { return end(with: failure, tls) }
    tls.flush { send($0) }
    if tls.engine.peerHasClosed { endReached() }
  }

  /// Acts upon the end of the socket's input. Most clients close without a close-notify, which is no failure: a command
  /// that was cut off is not executed. Nor is a connection that was only probed.
  func transportDidEnd(_ tls: StreamTLS) {
    guard tls.engine.isHandshaking, tls.engine.hasReceived else { return endReached() }
    tls.engine.transportDidEnd()
    if let failure = tls.engine.failure { end(with: failure, tls) } else { endReached() }
  }

  private func noticeHandshake(_ tls: StreamTLS) {
    if tls.noticeHandshake() { delegate?.streamDidShakeHands(self) }
  }

  /// Closes the stream after the alert, or after words for a peer that understands no alert.
  private func end(with failure: TLSFailure, _ tls: StreamTLS) {
    tls.listener.server.count(failure)
    if failure.reason == .notTLS {
      tls.dropOutput()
      let words = tls.listener.refusalOfPlaintext
      send(words.span)
    } else {
      tls.flush { send($0) }
    }
    closeAfterWriting(because: StreamError(failure))
  }
}
