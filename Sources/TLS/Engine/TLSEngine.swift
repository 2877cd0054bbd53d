internal import CGnuTLS
internal import Glibc

/// One TLS connection without a socket: ciphertext goes in and plaintext comes out, and the other way round.
///
/// GnuTLS does the protocol, ``TLSStateMachine`` decides the next step. The owner reads and writes the socket: it hands
/// over what it has read with ``receive(_:scratch:deliver:)``, and sends ``withOutput(_:)`` whenever there is some,
/// which also holds messages of the protocol itself: handshakes, alerts, new keys. Confined to the owner's thread.
public final class TLSEngine {
  /// The most plaintext of one record, in bytes (RFC 8446 section 5.1), and so the size of a `scratch` buffer.
  package static let recordBytes = 16 * 1024
  /// The most calls in a row that take no input: a record can hold so many of the smallest messages of the protocol.
  private static let mostIdleCalls = 4096

  /// The side of the connection, with what GnuTLS refers to until the session has ended.
  enum Role {
    /// `name` is the one that is verified.
    case client(TLSClientCredentials, name: String)
    case server(TLSCredentials)

    var side: TLSSide {
      switch self {
      case .client: .client
      case .server: .server
      }
    }
  }

  let session: gnutls_session_t
  let role: Role
  private var machine: TLSStateMachine
  private var output = CiphertextBuffer()
  /// The ciphertext that GnuTLS has not taken yet; empty except during ``receive(_:scratch:deliver:)``.
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The bytes that the peer may still send before the handshake is done.
  private var handshakeRoom: Int
  /// The first byte that the peer has sent.
  private var firstByte: UInt8?
  /// The verdict on the peer's certificate, if it was refused; GnuTLS has only a number for that.
  var refusal: TLSFailure?
  /// Whether the session's data were returned by ``takeSessionData()``.
  private var hasReturnedData = false

  /// Creates an engine with a session that has its credentials already.
  ///
  /// - Parameter handshakeLimit: the most bytes of the peer's handshake.
  init(takingOwnershipOf session: gnutls_session_t, role: Role, handshakeLimit: Int = .max) {
    handshakeRoom = handshakeLimit
    self.session = session
    self.role = role
    machine = TLSStateMachine(side: role.side)
    let opaque = Unmanaged.passUnretained(self).toOpaque()
    gnutls_session_set_ptr(session, opaque)
    gnutls_transport_set_ptr(session, opaque)
    // The engine owns the session, and is alive while it calls GnuTLS, which calls these.
    gnutls_transport_set_pull_function(session) { engine, memory, count in
      guard let engine, let memory else { return -1 }
      return Unmanaged<TLSEngine>.fromOpaque(engine)._withUnsafeGuaranteedRef { $0.pull(into: memory, count) }
    }
    gnutls_transport_set_push_function(session) { engine, bytes, count in
      guard let engine, let bytes else { return -1 }
      Unmanaged<TLSEngine>.fromOpaque(engine)._withUnsafeGuaranteedRef { engine in
        engine.output.append(UnsafeRawBufferPointer(start: bytes, count: count))
      }
      return count
    }
    // Without this, GnuTLS would take the engine's address for a descriptor if it ever waited.
    gnutls_transport_set_pull_timeout_function(session) { engine, _ in
      guard let engine else { return -1 }
      return Unmanaged<TLSEngine>.fromOpaque(engine)._withUnsafeGuaranteedRef { $0.input.isEmpty ? 0 : 1 }
    }
  }

  deinit {
    gnutls_deinit(session)
  }

  /// Whether the handshake is not done yet.
  public var isHandshaking: Bool { machine.state == .handshaking }
  /// Whether the peer has sent anything.
  public var hasReceived: Bool { firstByte != nil }
  /// Whether plaintext can be written.
  public var isWritable: Bool { machine.isWritable }
  /// Whether the peer has said that it sends no more.
  public var peerHasClosed: Bool { machine.state == .peerClosed }
  /// The failure that has ended TLS; nil if there is none.
  public var failure: TLSFailure? { if case .failed(let failure) = machine.state { failure } else { nil } }
  /// The bytes of ciphertext that the owner has to send.
  public var outputCount: Int { output.count }

  /// Begins the handshake. The first message of a client is in the output afterwards.
  public func begin() {
    advance(into: UnsafeMutableRawBufferPointer(start: nil, count: 0)) { _ in false }
  }

  /// Takes ciphertext as it came from the peer, all of it, and delivers the plaintext of its records.
  ///
  /// - Parameters:
  ///   - ciphertext: wherever records begin and end.
  ///   - scratch: memory of ``recordBytes`` bytes, used during the call.
  ///   - deliver: gets plaintext, valid during its call, and returns false to drop the rest of the input. It may write
  ///     and close.
  package func receive(
    _ ciphertext: Span<UInt8>,
    scratch: UnsafeMutableRawBufferPointer,
    deliver: (Span<UInt8>) -> Bool
  ) {
    precondition(scratch.count >= Self.recordBytes, "a record may not fit the scratch buffer")
    ciphertext.withUnsafeBytes { bytes in
      firstByte = firstByte ?? bytes.first
      guard isHandshaking else { return advance(with: bytes, into: scratch, deliver) }
      let part = min(bytes.count, handshakeRoom)
      handshakeRoom -= part
      advance(with: UnsafeRawBufferPointer(rebasing: bytes[..<part]), into: scratch, deliver)
      guard part < bytes.count else { return }
      if isHandshaking {
        _ = machine.handshakeDidReturn(.failed(.handshakeTooLong))
      } else {
        advance(with: UnsafeRawBufferPointer(rebasing: bytes[part...]), into: scratch, deliver)
      }
    }
  }

  /// Records that the peer's transport has ended, which without a close-notify before is a failure.
  public func transportDidEnd() {
    _ = machine.transportDidEnd()
  }

  /// Encrypts plaintext, all of it, in as few records as possible. Does nothing unless ``isWritable``.
  public func write(_ plaintext: Span<UInt8>) {
    plaintext.withUnsafeBytes { bytes in
      var rest = bytes
      while machine.isWritable, !rest.isEmpty {
        let count = gnutls_record_send(session, rest.baseAddress, rest.count)
        if count > 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        } else {
          // The output takes everything, so that there is nothing to wait for.
          machine.writeDidFail(failure(Int32(clamping: count)))
        }
      }
    }
  }

  /// Ends this side's direction with a close-notify, which is in the output afterwards.
  public func close() {
    if machine.close() { gnutls_bye(session, GNUTLS_SHUT_WR) }
  }

  /// Calls `body` with the ciphertext to send; it returns how much of it the socket took.
  @discardableResult
  package func withOutput(_ body: (UnsafeRawBufferPointer) -> Int) -> Int {
    let count = output.withBytes(body)
    if count > 0 { output.removeFirst(count) }
    return count
  }

  /// Returns the data with which a later connection can resume this session, once they are there.
  func takeSessionData() -> [UInt8]? {
    guard !hasReturnedData, machine.isWritable else { return nil }
    // TLS 1.3 has them only when a ticket has come; asking GnuTLS earlier makes it wait for one.
    if gnutls_protocol_get_version(session) == GNUTLS_TLS1_3 {
      guard gnutls_session_get_flags(session) & UInt32(GNUTLS_SFLAGS_SESSION_TICKET.rawValue) != 0 else { return nil }
    }
    hasReturnedData = true
    var data = gnutls_datum_t()
    guard gnutls_session_get_data2(session, &data) == GNUTLS_E_SUCCESS, let bytes = data.data else { return nil }
    defer { multistore_gnutls_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: Int(data.size)))
  }

  private func advance(
    with bytes: UnsafeRawBufferPointer,
    into scratch: UnsafeMutableRawBufferPointer,
    _ deliver: (Span<UInt8>) -> Bool
  ) {
    input = bytes
    advance(into: scratch, deliver)
    input = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  private func advance(into scratch: UnsafeMutableRawBufferPointer, _ deliver: (Span<UInt8>) -> Bool) {
    var step = machine.inputDidArrive()
    var code: Int32 = 0
    var (idleCalls, left) = (0, input.count)
    while true {
      idleCalls = input.count == left ? idleCalls + 1 : 0
      left = input.count
      switch step {
      case .wait: return
      case .shakeHands:
        code = gnutls_handshake(session)
        step = machine.handshakeDidReturn(result(code, idleCalls: idleCalls))
      case .readRecord:
        // Only a beginning without input has no room.
        guard !scratch.isEmpty else { return }
        code = Int32(clamping: gnutls_record_recv(session, scratch.baseAddress, scratch.count))
        step = machine.recordDidReturn(result(code, idleCalls: idleCalls))
        guard code > 0 else { continue }
        let plaintext = UnsafeRawBufferPointer(rebasing: scratch[..<Int(code)]).assumingMemoryBound(to: UInt8.self)
        guard deliver(plaintext.span) else { return }
        step = machine.inputDidArrive()
      case .sendAlert:
        gnutls_alert_send_appropriate(session, code)
        return
      }
    }
  }

  private func pull(into memory: UnsafeMutableRawPointer, _ count: Int) -> Int {
    guard let source = input.baseAddress, !input.isEmpty else {
      gnutls_transport_set_errno(session, EAGAIN)
      return -1
    }
    let taken = min(count, input.count)
    memory.copyMemory(from: source, byteCount: taken)
    input = UnsafeRawBufferPointer(rebasing: input[taken...])
    return taken
  }

  private func result(_ code: Int32, idleCalls: Int) -> TLSResult {
    if code >= 0 { return .done(count: Int(code)) }
    guard gnutls_error_is_fatal(code) == 0, idleCalls < Self.mostIdleCalls else { return .failed(failure(code)) }
    // GnuTLS returns this for a message of the protocol too, whatever follows it.
    return code == GNUTLS_E_AGAIN && input.isEmpty ? .again : .interrupted
  }

  private func failure(_ code: Int32) -> TLSFailure {
    if let refusal { return refusal }
    let speaksTLS = firstByte.map(TLSFailure.beginsRecord) ?? true
    guard speaksTLS || !isHandshaking else { return .notTLS(at: role.side) }
    return TLSFailure(code: code, alert: gnutls_alert_get(session))
  }
}
