internal import CHiredis
internal import EventLoop
internal import Glibc

/// TLS on the context's socket: the handshake before the connection is used, and reading after it.
extension HiredisContext {
  /// Continues the handshake when the socket is ready for it.
  func continueHandshake() {
    guard let owner = owner?.takeUnretainedValue(), let tls, let context else { return }
    defer { withExtendedLifetime(owner) {} }
    flushHandshake()
    if self.context != nil { _ = readSecured(tls, context, owner) }
  }

  /// Sends the handshake's messages, and watches for room if the socket does not take them.
  func flushHandshake() {
    guard let context, let tls else { return }
    let error = tls.flush(to: context.pointee.fd)
    guard error == 0 || error == EAGAIN || error == EINTR else { return end(.failed(Self.text(error))) }
    poll?.update(readable: true, writable: tls.hasOutput)
  }

  /// Reads once, and delivers what is complete; returns false if no more bytes are available.
  func readSecured(
    _ tls: ContextTLS,
    _ context: UnsafeMutablePointer<redisContext>,
    _ owner: HiredisConnection
  ) -> Bool {
    let buffer = loop.readBuffer
    let count = recv(context.pointee.fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
    return hasRead(count, of: buffer.count) { count in
      tls.receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]), scratch: loop.plaintextBuffer) { plaintext in
        // The end of the handshake may come with more bytes than it may have.
        guard pendingEnd == nil else { return false }
        if !isConnected { didConnect() }
        if pendingEnd == nil, let reader = context.pointee.reader { deliver(plaintext, to: reader, owner) }
        return pendingEnd == nil
      }
      if pendingEnd == nil { didReceive(tls, context) }
    }
  }

  /// Acts upon the state in which TLS is after input.
  private func didReceive(_ tls: ContextTLS, _ context: UnsafeMutablePointer<redisContext>) {
    if !isConnected, tls.isSecured { didConnect() }
    if let end = tls.end {
      pendingEnd = pendingEnd ?? end
    } else if !isConnected {
      flushHandshake()
    } else if tls.hasOutput {
      // New keys that the store has requested. What the socket does not take is written with the commands.
      _ = tls.flush(to: context.pointee.fd)
      watch()
    }
  }
}
