internal import EventLoop
internal import MultiStore
internal import RESP
internal import TLS

/// TLS of the client's connection.
extension Session {
  func streamDidShakeHands(_ stream: Stream) {
    guard let refusal = stream.certificateRefusal else { return logInByCertificate() }
    server.metrics.closed(.certificate)
    server.noteRefusal("client_certificate", refusal, of: stream.peer)
    output.appendError("ERR \(refusal)")
    closeAfterReplies()
  }

  /// Logs the client in as the user that its certificate stands for, if there is one.
  func logInByCertificate() {
    guard let user = server.credentials?.user(withCertificateFor: stream.certificateNames) else { return }
    client.user = user
    isAuthenticated = true
  }

  /// Counts and reports the failure of TLS that has closed the connection.
  func noteEnd(of stream: Stream, _ error: StreamError?) {
    guard let failure = error?.tls else { return }
    server.metrics.closed(.tlsFailure)
    server.noteRefusal(failure.reason.rawValue, failure.message, of: stream.peer)
  }
}
