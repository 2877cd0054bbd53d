internal import CMicroHTTPD
internal import Sockets
internal import TLS

/// The bridge to libmicrohttpd: one daemon, the thread that runs it, and its callbacks.
///
/// `@unchecked Sendable`: the pointers are set once and only read. ``HTTPServer`` keeps it behind a lock, and takes it
/// out before it stops it.
struct MicroHTTPDaemon: @unchecked Sendable {
  /// The memory of one connection for the request's line and headers and for writing; the library's default. A request
  /// with longer headers is answered with 431 by the library.
  private static let connectionMemoryBytes = 32 * 1024
  /// The number of connections that the library may have beyond the limit: those that were shut down for others that it
  /// accepted in the same turn (11 in daemon.c of 0.9.75), and that it closes in the next one.
  private static let closingConnections = 32

  private let daemon: OpaquePointer
  private let keeper: Unmanaged<ConnectionKeeper>
  private let thread: DaemonThread

  /// Starts the daemon and its thread; nil if memory, threads or descriptors are used up.
  ///
  /// - Parameters:
  ///   - descriptor: A non-blocking listening socket; libmicrohttpd owns it from here on.
  ///   - usesTLS: Whether it speaks HTTPS; then the dispatcher's access has a source of credentials at all times.
  ///   - dispatcher: Answers the requests; retained until ``stop()``.
  ///   - counts: The counts of connections.
  init?(listeningOn descriptor: Int32, usesTLS: Bool, dispatcher: HTTPDispatcher, counts: HTTPConnectionCounts) {
    let keeper = ConnectionKeeper(dispatcher: dispatcher, counts: counts)
    let retained = Unmanaged.passRetained(keeper)
    let started = multistore_mhd_start(
      descriptor,
      usesTLS,
      UInt32(clamping: dispatcher.limits.connections + Self.closingConnections),
      Self.connectionMemoryBytes,
      { context, connection, url, method, _, bytes, count, request in
        handleRequest(context, connection, url, method, bytes, count, request)
      },
      { context, connection, request, _ in requestDidEnd(context, connection, request) },
      { context, connection, slot, code in connectionDidChange(context, connection, slot, code) },
      { _, _, text in keepEscapes(text) },
      retained.toOpaque()
    )
    guard let started else {
      retained.release()
      return nil
    }
    guard let thread = DaemonThread(running: started, keeper: keeper) else {
      MHD_stop_daemon(started)
      retained.release()
      return nil
    }
    daemon = started
    self.keeper = retained
    self.thread = thread
  }

  /// Closes the listening socket and every connection, waits for the thread, and releases the dispatcher. Call it once.
  func stop() {
    thread.stop()
    // After this no callback runs or will run, so the reference that they use can be released.
    MHD_stop_daemon(daemon)
    keeper.release()
  }
}

/// libmicrohttpd calls this on the daemon's thread when it has accepted a connection, before the first byte of its
/// handshake, and when the connection is closed. The slot is the connection's.
private func connectionDidChange(
  _ context: UnsafeMutableRawPointer?,
  _ connection: OpaquePointer?,
  _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
  _ code: MHD_ConnectionNotificationCode
) {
  guard let context, let connection, let slot else { return }
  let keeper = Unmanaged<ConnectionKeeper>.fromOpaque(context).takeUnretainedValue()
  let descriptor = multistore_mhd_descriptor(connection)
  switch code {
  case .CONNECTION_NOTIFY_STARTED:
    keeper.didAccept(descriptor, from: PeerNetwork(multistore_mhd_peer(connection)))
    guard let session = tlsSession(of: connection),
      let credentials = keeper.dispatcher.access.tls?.currentCredentials()
    else { return }
    credentials.equip(session)
    slot.pointee = Unmanaged.passRetained(credentials).toOpaque()
  default:
    keeper.didClose(descriptor)
    guard let opaque = slot.pointee else { return }
    slot.pointee = nil
    Unmanaged<TLSCredentials>.fromOpaque(opaque).release()
  }
}

private func tlsSession(of connection: OpaquePointer) -> OpaquePointer? {
  multistore_mhd_tls_session(connection).map { OpaquePointer($0) }
}

/// The part of one request that has been read. libmicrohttpd's slot for the request owns it, from the first call of the
/// access handler to the completion callback, both on the daemon's thread.
private final class PendingRequest {
  var body: [UInt8] = []
  var receivedBytes = 0
}

/// libmicrohttpd calls this once after the headers, once for each part of the body and once at the end. A response may
/// be queued in the first and in the last call only (microhttpd.h, MHD_AccessHandlerCallback).
private func handleRequest(
  _ context: UnsafeMutableRawPointer?,
  _ connection: OpaquePointer?,
  _ url: UnsafePointer<CChar>?,
  _ method: UnsafePointer<CChar>?,
  _ bytes: UnsafePointer<CChar>?,
  _ count: UnsafeMutablePointer<Int>?,
  _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let context, let connection, let url, let method, let count, let slot else { return .NO }
  let keeper = Unmanaged<ConnectionKeeper>.fromOpaque(context).takeUnretainedValue()
  let dispatcher = keeper.dispatcher
  guard let opaque = slot.pointee else {
    slot.pointee = Unmanaged.passRetained(PendingRequest()).toOpaque()
    guard let refusal = dispatcher.refusal(beforeBodyOf: fields(of: connection, .HEADER_KIND)) else { return .YES }
    return queue(refusal, on: connection, keeper)
  }
  let pending = Unmanaged<PendingRequest>.fromOpaque(opaque).takeUnretainedValue()
  let limit = dispatcher.limits.maximumBodyBytes
  if let bytes, count.pointee > 0 {
    let part = UnsafeRawBufferPointer(start: bytes, count: count.pointee)
    count.pointee = 0
    pending.receivedBytes += part.count
    if pending.receivedBytes <= limit { pending.body.append(contentsOf: part) }
    return pending.receivedBytes <= dispatcher.limits.drainedBodyBytes ? .YES : .NO
  }
  let response = dispatcher.respond(
    to: HTTPDispatcher.RawRequest(
      method: String(cString: method),
      escapedPath: String(cString: url),
      escapedQuery: fields(of: connection, .GET_ARGUMENT_KIND),
      headers: fields(of: connection, .HEADER_KIND),
      body: pending.body,
      isBodyComplete: pending.receivedBytes <= limit,
      network: PeerNetwork(multistore_mhd_peer(connection)),
      certificateProblem: tlsSession(of: connection).flatMap { session in
        dispatcher.access.tls?.currentCredentials()?.refusal(of: session)
      }
    )
  )
  return queue(response, on: connection, keeper)
}

/// libmicrohttpd calls this once for each request that the access handler has seen, however it ended.
private func requestDidEnd(
  _ context: UnsafeMutableRawPointer?,
  _ connection: OpaquePointer?,
  _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) {
  guard let context, let connection, let slot, let opaque = slot.pointee else { return }
  let keeper = Unmanaged<ConnectionKeeper>.fromOpaque(context).takeUnretainedValue()
  keeper.didAnswer(on: multistore_mhd_descriptor(connection))
  slot.pointee = nil
  Unmanaged<PendingRequest>.fromOpaque(opaque).release()
}

/// Keeps path and query encoded: the library would decode `%00` into the end of a C string, and `%2F` into one more
/// segment of the path. ``PercentEncoding`` decodes them instead.
private func keepEscapes(_ text: UnsafeMutablePointer<CChar>?) -> Int {
  text.map { String(cString: $0).utf8.count } ?? 0
}

private func fields(of connection: OpaquePointer, _ kind: MHD_ValueKind) -> [HTTPField] {
  var fields: [HTTPField] = []
  withUnsafeMutablePointer(to: &fields) { pointer in
    _ = MHD_get_connection_values_n(
      connection,
      kind,
      { context, _, name, nameCount, value, valueCount in
        let fields = context!.assumingMemoryBound(to: [HTTPField].self)
        fields.pointee.append(HTTPField(string(name, nameCount), string(value, valueCount)))
        return .YES
      },
      pointer
    )
  }
  return fields
}

private func string(_ bytes: UnsafePointer<CChar>?, _ count: Int) -> String {
  String(decoding: UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
}

private func queue(
  _ response: HTTPResponse,
  on connection: OpaquePointer,
  _ keeper: ConnectionKeeper
) -> MHD_Result {
  let created = response.body.withUnsafeBytes { body in
    // The library copies the body, so that the pointer need not outlive this call; it does not write to it.
    MHD_create_response_from_buffer(
      body.count,
      UnsafeMutableRawPointer(mutating: body.baseAddress),
      .RESPMEM_MUST_COPY
    )
  }
  guard let created else { return .NO }
  // The connection holds its own reference to a response that is queued on it.
  defer { MHD_destroy_response(created) }
  for field in response.headers where MHD_add_response_header(created, field.name, field.value) != .YES {
    return .NO
  }
  keeper.willAnswer(on: multistore_mhd_descriptor(connection), bytes: response.body.count)
  return MHD_queue_response(connection, UInt32(response.status), created)
}
