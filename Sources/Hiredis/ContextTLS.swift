internal import Glibc
internal import TLS

/// TLS of one context: between its output and the socket, and between the socket and hiredis' reader.
///
/// Output is counted as written once the operating system has taken all records with it. Until then the owner keeps the
/// plaintext and offers it again, as it does with what a plain socket did not take.
final class ContextTLS {
  /// The most plaintext that is encrypted before the socket has taken it, in bytes.
  private static let sealedBytes = 64 * 1024

  private let client: TLSClient
  private let engine: TLSEngine
  /// The plaintext at the front of the output whose records the socket has not all taken.
  private var sealedCount = 0
  /// Whether the session was kept for later connections.
  private var isRemembered = false

  /// Prepares TLS to a host.
  ///
  /// - Throws: `TLSFailure` if the files of the settings can't be used.
  init(_ client: TLSClient, host: String) throws(TLSFailure) {
    self.client = client
    engine = try client.makeEngine(host: host)
  }

  /// Whether the handshake is done and has succeeded.
  var isSecured: Bool { engine.isWritable }

  /// The reason why the context has to end; nil if it can go on.
  var end: ContextEnd? {
    if let failure = engine.failure { return .tlsFailed(failure) }
    return engine.peerHasClosed ? .storeClosed : nil
  }

  /// Whether ciphertext waits for the socket.
  var hasOutput: Bool { engine.outputCount > 0 }

  /// Begins the handshake; the first message is to be flushed.
  func begin() {
    engine.begin()
  }

  /// Counts the handshake, which has just succeeded.
  func didSecure() {
    if let info = engine.info { client.count(info) }
  }

  /// Counts the failure that has ended TLS, if one has.
  func didEnd() {
    if let failure = engine.failure { client.count(failure) }
  }

  /// Takes what was read from the socket, and delivers its plaintext while `deliver` returns true.
  func receive(
    _ ciphertext: UnsafeRawBufferPointer,
    scratch: UnsafeMutableRawBufferPointer,
    deliver: (UnsafeRawBufferPointer) -> Bool
  ) {
    engine.receive(ciphertext.assumingMemoryBound(to: UInt8.self).span, scratch: scratch) { plaintext in
      plaintext.withUnsafeBytes(deliver)
    }
    if !isRemembered { isRemembered = client.remember(engine) }
  }

  /// Records that the store has closed the socket, and returns the end of the context.
  func socketDidEnd() -> ContextEnd {
    guard engine.isHandshaking else { return .storeClosed }
    engine.transportDidEnd()
    return end ?? .storeClosed
  }

  /// Encrypts output, and offers it to the operating system.
  ///
  /// - Parameter bytes: the same bytes as before from the first that was not taken on, and those after them.
  /// - Returns: the bytes that were taken, or minus the error number.
  func send(_ bytes: Span<UInt8>, to fd: Int32) -> Int {
    var taken = 0
    while taken < bytes.count {
      if sealedCount == 0 {
        sealedCount = min(Self.sealedBytes, bytes.count - taken)
        engine.write(bytes.extracting(taken..<taken + sealedCount))
        // The failure itself ends the context when the loop reads next.
        guard engine.isWritable else { return -Int(EPIPE) }
      }
      let error = flush(to: fd)
      guard error == 0 else { return taken > 0 ? taken : -Int(error) }
      taken += sealedCount
      sealedCount = 0
    }
    return taken
  }

  /// Offers all ciphertext to the operating system; returns 0 if it took it, or the error number.
  func flush(to fd: Int32) -> Int32 {
    var error: Int32 = 0
    while engine.outputCount > 0, error == 0 {
      engine.withOutput { bytes in
        let count = Glibc.send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        if count < 0 { error = errno }
        return max(0, count)
      }
    }
    return error
  }

  /// Sends the end of TLS if the socket takes it: the socket is closed next.
  func sayGoodbye(to fd: Int32) {
    engine.close()
    _ = flush(to: fd)
  }
}
