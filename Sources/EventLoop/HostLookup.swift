internal import CUV
internal import Glibc
internal import Sockets

/// Resolves a host with the system's resolver on another thread, and calls its handler on the loop's thread.
///
/// Dropping the last reference cancels it: the handler is not called after that. The resolver may take minutes, cannot
/// be interrupted, and has few threads in the process (libuv lets it use half of ``threadCount``), so a host is looked
/// up once at a time on each loop, and what nobody waits for any more is not begun.
package final class HostLookup {
  private static let threadCount = 16

  /// Sets the number of threads of libuv's pool, which are made at the first lookup, unless the environment has it. Its
  /// default is four for the whole process. To be called before the first lookup.
  package static func reserveThreads() {
    setenv("UV_THREADPOOL_SIZE", "\(threadCount)", 0)
  }

  /// Addresses as IP literals in the resolver's order, or the reason why there are none.
  package enum Outcome {
    case addresses([String])
    case failure(reason: String)
  }

  /// One question to the resolver, for all lookups of its host at a time. It is the context of the C request, and
  /// outlives lookups that were cancelled.
  final class Request {
    fileprivate let host: String
    fileprivate let memory = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
    /// The handlers of the lookups that wait, in their order.
    fileprivate var handlers: [(lookup: ObjectIdentifier, handle: (Outcome) -> Void)] = []
    fileprivate var isDone = false

    fileprivate init(host: String) {
      self.host = host
      memory.initialize(to: uv_getaddrinfo_t())
    }

    deinit {
      memory.deallocate()
    }

    fileprivate func end(_ outcome: Outcome) {
      isDone = true
      // A handler may cancel other lookups.
      while !handlers.isEmpty { handlers.removeFirst().handle(outcome) }
    }

    fileprivate func forget(_ lookup: ObjectIdentifier) {
      handlers.removeAll { $0.lookup == lookup }
      guard handlers.isEmpty, !isDone else { return }
      // Fails for one that the resolver works on already: its answer is for whoever asks until then.
      let isCancelled = uv_cancel(UnsafeMutableRawPointer(memory).assumingMemoryBound(to: uv_req_t.self)) == 0
      if isCancelled { leaveLoop() }
    }

    /// Makes the next lookup of the host ask anew.
    fileprivate func leaveLoop() {
      guard let loop = EventLoop.of(memory.pointee.loop), loop.lookups[host] === self else { return }
      loop.lookups[host] = nil
    }
  }

  private let request: Request

  /// Starts looking up `host`. The handler is called once, in a later turn.
  ///
  /// - Throws: If the lookup can't be started.
  package init(on loop: EventLoop, host: String, handler: @escaping (Outcome) -> Void) throws(EventLoopError) {
    loop.preconditionOnLoop()
    if let pending = loop.lookups[host] { request = pending } else { request = try Self.begin(host, on: loop) }
    request.handlers.append((ObjectIdentifier(self), handler))
  }

  deinit {
    request.forget(ObjectIdentifier(self))
  }

  private static func begin(_ host: String, on loop: EventLoop) throws(EventLoopError) -> Request {
    let request = Request(host: host)
    request.memory.pointee.data = Unmanaged.passRetained(request).toOpaque()
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    let result = uv_getaddrinfo(
      loop.uv,
      request.memory,
      { memory, status, list in
        defer { uv_freeaddrinfo(list) }
        guard let memory, let data = memory.pointee.data else { return }
        let request = Unmanaged<Request>.fromOpaque(data).takeRetainedValue()
        request.leaveLoop()
        request.end(HostLookup.outcome(status: status, list: list))
      },
      host,
      nil,
      &hints
    )
    guard result == 0 else {
      Unmanaged.passUnretained(request).release()
      throw EventLoopError("looking up \(host)", uv: result)
    }
    loop.lookups[host] = request
    return request
  }

  /// Whether `host` is an IP literal, which needs no lookup.
  package static func isLiteral(_ host: String) -> Bool { SocketAddress.isIPAddress(host) }

  private static func outcome(status: Int32, list: UnsafeMutablePointer<addrinfo>?) -> Outcome {
    guard status == 0, let list else { return .failure(reason: SystemError(uv: status).reason) }
    var addresses: [String] = []
    for entry in sequence(first: list, next: { $0.pointee.ai_next }) {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let info = entry.pointee
      let size = socklen_t(text.count)
      guard getnameinfo(info.ai_addr, info.ai_addrlen, &text, size, nil, 0, NI_NUMERICHOST) == 0 else { continue }
      let literal = text.withUnsafeBufferPointer { text in text.baseAddress.map { String(cString: $0) } ?? "" }
      if !addresses.contains(literal) { addresses.append(literal) }
    }
    return addresses.isEmpty ? .failure(reason: "no usable address") : .addresses(addresses)
  }
}
