internal import CUV
internal import Glibc
internal import Sockets

/// Resolves a host with the system's resolver on another thread, and calls its handler on the loop's thread.
///
/// Dropping the last reference cancels it: the handler is not called after that.
package final class HostLookup {
  /// Addresses as IP literals in the resolver's order, or the reason why there are none.
  package enum Outcome {
    case addresses([String])
    case failure(reason: String)
  }

  /// The context of the C request. It outlives a lookup that was cancelled, since the resolver can't be interrupted.
  private final class Request {
    var handler: ((Outcome) -> Void)?

    init(handler: @escaping (Outcome) -> Void) {
      self.handler = handler
    }
  }

  private let request: Request

  /// Starts looking up `host`. The handler is called once, in a later turn.
  ///
  /// - Throws: If the lookup can't be started.
  package init(on loop: EventLoop, host: String, handler: @escaping (Outcome) -> Void) throws(EventLoopError) {
    loop.preconditionOnLoop()
    request = Request(handler: handler)
    let memory = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
    memory.initialize(to: uv_getaddrinfo_t())
    memory.pointee.data = Unmanaged.passRetained(request).toOpaque()
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    let result = uv_getaddrinfo(
      loop.uv,
      memory,
      { memory, status, list in
        defer { uv_freeaddrinfo(list) }
        guard let memory, let data = memory.pointee.data else { return }
        let request = Unmanaged<Request>.fromOpaque(data).takeRetainedValue()
        memory.deallocate()
        request.handler?(HostLookup.outcome(status: status, list: list))
        request.handler = nil
      },
      host,
      nil,
      &hints
    )
    guard result == 0 else {
      Unmanaged.passUnretained(request).release()
      memory.deallocate()
      throw EventLoopError("looking up \(host)", uv: result)
    }
  }

  deinit {
    request.handler = nil
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
