internal import Glibc
internal import Sidecar
internal import Sockets

/// A TCP or unix-socket connection whose calls block their thread until a deadline at most.
struct AdminConnection: ~Copyable {
  /// The longest answer that is read, in bytes: more than the inventories of a hundred instances with every command.
  static let maximumAnswerBytes = 16 << 20

  let address: AdminAddress
  private let descriptor: Int32
  private let deadline: ContinuousClock.Instant

  /// Connects.
  init(to address: AdminAddress, timeout: Duration) throws(AdminClientError) {
    deadline = ContinuousClock.now.advanced(by: timeout)
    self.address = address
    var reason = "the host has no address"
    for candidate in try Self.candidates(for: address) {
      switch Self.connect(to: candidate, deadline: deadline) {
      case .success(let descriptor):
        self.descriptor = descriptor
        return
      case .failure(let failure): reason = systemMessage(failure.code)
      }
    }
    throw AdminClientError(kind: .unreachable, address: address, reason: reason)
  }

  deinit { close(descriptor) }

  /// Writes all bytes.
  borrowing func write(_ bytes: [UInt8]) throws(AdminClientError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // Safe: address and count are those of the bytes that are left.
      let sent = unsafe rest.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if sent > 0 {
        rest = rest.dropFirst(sent)
      } else {
        try waitAfterFailure(errno, for: POLLOUT)
      }
    }
  }

  /// Sends a request, and returns all that the server sends until it closes.
  borrowing func exchange(_ request: [UInt8]) throws(AdminClientError) -> [UInt8] {
    var answer: [UInt8] = []
    do throws(AdminClientError) {
      try write(request)
      while true {
        let bytes = try read()
        guard !bytes.isEmpty else { break }
        answer += bytes
        try checkSize(answer.count)
      }
    } catch {
      guard error.kind == .interrupted, answer.isEmpty else { throw error }
      throw AdminClientError(kind: .unanswered, address: address, reason: error.reason)
    }
    return answer
  }

  /// Reads the bytes that come next; none if the server has closed.
  borrowing func read() throws(AdminClientError) -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      // The size bounds an endless answer, the time a slow one.
      guard ContinuousClock.now < deadline else { throw timedOut }
      // Safe: the call writes at most as many bytes as the array has.
      let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
      if count >= 0 { return Array(chunk[..<count]) }
      try waitAfterFailure(errno, for: POLLIN)
    }
  }

  /// Refuses an answer that is too long.
  borrowing func checkSize(_ bytes: Int) throws(AdminClientError) {
    guard bytes <= Self.maximumAnswerBytes else {
      throw AdminClientError(kind: .notTheAdminAPI, address: address, reason: "its answer does not end")
    }
  }

  private borrowing func waitAfterFailure(_ code: Int32, for events: Int32) throws(AdminClientError) {
    switch code {
    case EINTR: return
    case EAGAIN:
      guard Self.wait(for: events, on: descriptor, until: deadline) else { throw timedOut }
    default: throw AdminClientError(kind: .interrupted, address: address, reason: systemMessage(code))
    }
  }

  private var timedOut: AdminClientError {
    AdminClientError(kind: .timedOut, address: address, reason: "the whole answer took too long")
  }

  // MARK: Connecting

  private struct SystemError: Error {
    let code: Int32
  }

  private static func candidates(for address: AdminAddress) throws(AdminClientError) -> [ResolvedAddress] {
    switch address.socket {
    case .unix(let path): return [ResolvedAddress(socketPath: path)]
    case .tcp(let host, let port):
      // Without a host the resolver returns loopback, which "every interface" includes.
      let target = ["0.0.0.0", "::"].contains(host) ? "" : host
      do throws(ResolutionError) {
        return try ResolvedAddress.resolve(host: target, port: port, forListening: false)
      } catch {
        throw AdminClientError(kind: .unreachable, address: address, reason: error.reason)
      }
    }
  }

  private static func connect(
    to candidate: ResolvedAddress,
    deadline: ContinuousClock.Instant
  ) -> Result<Int32, SystemError> {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(candidate.family, type, 0)
    guard descriptor >= 0 else { return .failure(SystemError(code: errno)) }
    var code: Int32 = 0
    // Safe: the address is valid for the time of the call.
    if unsafe candidate.withSockaddr({ unsafe Glibc.connect(descriptor, $0, $1) }) != 0 { code = errno }
    if code == EINPROGRESS {
      code = wait(for: POLLOUT, on: descriptor, until: deadline) ? pendingError(of: descriptor) : ETIMEDOUT
    }
    guard code == 0 else {
      close(descriptor)
      return .failure(SystemError(code: code))
    }
    return .success(descriptor)
  }

  private static func pendingError(of descriptor: Int32) -> Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    // Safe: both pointers are to local variables.
    return unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
  }

  /// Waits for an event; returns false if the deadline passes first.
  private static func wait(for events: Int32, on descriptor: Int32, until deadline: ContinuousClock.Instant) -> Bool {
    while true {
      let left = ContinuousClock.now.duration(to: deadline)
      guard left > .zero else { return false }
      let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
      var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      // One more, since a timeout of 0 for the last fraction of a millisecond would spin.
      // Safe: the one entry is a local variable.
      if unsafe poll(&entry, 1, Int32(clamping: milliseconds + 1)) > 0 { return true }
    }
  }
}
