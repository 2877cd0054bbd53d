internal import Sidecar
internal import TLS

/// One request over TLS: the engine of ``TLS`` on a connection whose calls block.
struct AdminTLS: ~Copyable {
  private let connection: AdminConnection
  private let engine: TLSEngine

  /// - Parameter host: The name that is verified, unless the settings have another.
  init(
    _ connection: consuming AdminConnection,
    to host: String,
    _ settings: TLSClientSettings
  ) throws(AdminClientError) {
    do throws(TLSFailure) {
      engine = try TLSClient(settings).makeEngine(host: host)
    } catch {
      throw AdminClientError(error, address: connection.address)
    }
    self.connection = connection
  }

  /// Shakes hands, which verifies the server.
  borrowing func begin() throws(AdminClientError) {
    engine.begin()
    try flush()
    // The server sends nothing but the handshake before it has a request.
    while engine.isHandshaking { _ = try receive() }
    if let failure = engine.failure { throw AdminClientError(failure, address: connection.address) }
  }

  /// Sends a request, and returns all that the server sends until it closes.
  borrowing func exchange(_ request: [UInt8]) throws(AdminClientError) -> [UInt8] {
    engine.write(request.span)
    try flush()
    var answer: [UInt8] = []
    while engine.isWritable, !engine.peerHasClosed {
      answer += try receive()
      try connection.checkSize(answer.count)
    }
    guard let failure = engine.failure else { return answer }
    // With TLS 1.3 a server refuses a client's certificate after the client's part of the handshake.
    if failure.reason == .refusedCertificate { throw AdminClientError(failure, address: connection.address) }
    throw AdminClientError(kind: .interrupted, address: connection.address, reason: failure.problem)
  }

  /// Returns the plaintext of the bytes that come next; none if they are the end, which the engine records.
  private borrowing func receive() throws(AdminClientError) -> [UInt8] {
    let ciphertext = try connection.read()
    guard !ciphertext.isEmpty else {
      engine.transportDidEnd()
      return []
    }
    let plaintext = engine.receive(ciphertext)
    try flush()
    return plaintext
  }

  /// Sends what the engine has for the server.
  private borrowing func flush() throws(AdminClientError) {
    let output = engine.takeOutput()
    do throws(AdminClientError) {
      try connection.write(output)
    } catch {
      // The reason is why the engine sends an alert, and not that the server no longer reads it.
      if let failure = engine.failure { throw AdminClientError(failure, address: connection.address) }
      throw error
    }
  }
}
