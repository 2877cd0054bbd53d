internal import Foundation
internal import Synchronization

/// Where a server listens.
public enum SocketAddress: Equatable, Sendable, CustomStringConvertible {
  /// A unix socket's path.
  case unix(String)
  /// A port of 127.0.0.1.
  case port(UInt16)

  /// Reads `unix:/path`, `/path`, `127.0.0.1:port` or `localhost:port`, as logs have them.
  public init?(_ text: String) {
    if text.hasPrefix("unix:") {
      self = .unix(String(text.dropFirst("unix:".count)))
    } else if text.hasPrefix("/") {
      self = .unix(text)
    } else if let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) {
      self = .port(port)
    } else {
      return nil
    }
  }

  /// As it is written in configurations.
  public var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .port(let port): "127.0.0.1:\(port)"
    }
  }
}

/// A connected stream socket with deadlines. Closed when the object goes.
///
/// Any thread may use it; one at a time for reading and one for writing keeps the bytes in order.
public final class Socket: Sendable {
  /// The descriptor, non-blocking, open for as long as the object lives.
  public let descriptor: Int32

  /// Takes over a connected descriptor.
  public init(takingOwnership descriptor: Int32) {
    self.descriptor = descriptor
    setNonBlocking(descriptor)
  }

  /// Connects.
  ///
  /// - Parameter receiveBuffer: Size of the kernel's receive buffer in bytes, for tests of slow readers.
  /// - Throws: ``TestSupportError`` with code `system`.
  public convenience init(connectingTo address: SocketAddress, receiveBuffer: Int32? = nil) throws {
    let descriptor = try makeSocket(for: address)
    if var receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
    }
    // Connecting while it still blocks: local connects are done at once, or wait for a place in the backlog.
    guard try withSocketAddress(address, { connect(descriptor, $0, $1) }) == 0 else {
      let reason = lastSystemError()
      Foundation.close(descriptor)
      throw TestSupportError(.system, "can't connect to \(address): \(reason)")
    }
    self.init(takingOwnership: descriptor)
  }

  deinit {
    Foundation.close(descriptor)
  }

  /// Ends both directions at once; whoever waits on it sees the end. The descriptor itself is closed with the object.
  public func close() {
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  /// Ends with a reset instead of an orderly end (TCP only).
  public func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    var unspecified = sockaddr()
    unspecified.sa_family = sa_family_t(AF_UNSPEC)
    connect(descriptor, &unspecified, socklen_t(MemoryLayout<sockaddr>.size))
  }

  /// Says that nothing more will be sent; reading goes on.
  public func shutdownWrites() {
    shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Bytes that are there, waited for; empty at the end of the stream.
  ///
  /// - Throws: ``TestSupportError``: `timedOut`, or `closed` for a connection that broke.
  public func read(upTo count: Int = 65536, within limit: Duration = waitLimit) throws -> [UInt8] {
    let deadline = ContinuousClock.now + limit
    while true {
      if let bytes = try readAvailable(upTo: count) { return bytes }
      guard wait(for: Int16(POLLIN), until: deadline) != 0 else {
        throw TestSupportError(.timedOut, "nothing to read within \(limit)")
      }
    }
  }

  /// All bytes up to the end of the stream.
  ///
  /// - Throws: ``TestSupportError``: `timedOut`, or `closed` for a connection that broke.
  public func readToEnd(within limit: Duration = waitLimit) throws -> [UInt8] {
    let deadline = ContinuousClock.now + limit
    var bytes: [UInt8] = []
    while true {
      let more = try read(within: ContinuousClock.now.duration(to: deadline))
      if more.isEmpty { return bytes }
      bytes += more
    }
  }

  /// Bytes that are there at this moment, nil if none are, empty at the end of the stream.
  ///
  /// - Throws: ``TestSupportError`` with code `closed` for a connection that broke.
  public func readAvailable(upTo count: Int = 65536) throws -> [UInt8]? {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let received = recv(descriptor, buffer.baseAddress, count, 0)
      failure = received < 0 ? errno : 0
      initialized = max(0, received)
    }
    switch failure {
    case 0: return bytes
    case EAGAIN, EINTR: return nil
    default: throw TestSupportError(.closed, "reading failed: \(String(cString: strerror(failure)))")
    }
  }

  /// Writes all bytes.
  ///
  /// - Throws: ``TestSupportError``: `timedOut`, or `closed` if the other end is gone.
  public func write(_ bytes: [UInt8], within limit: Duration = waitLimit) throws {
    let deadline = ContinuousClock.now + limit
    var sent = 0
    while sent < bytes.count {
      sent += try writeAvailable(bytes[sent...])
      guard sent == bytes.count || wait(for: Int16(POLLOUT), until: deadline) != 0 else {
        throw TestSupportError(.timedOut, "\(bytes.count - sent) of \(bytes.count) bytes not taken within \(limit)")
      }
    }
  }

  /// Writes as many bytes as are taken at this moment, and returns how many that were.
  ///
  /// - Throws: ``TestSupportError`` with code `closed` if the other end is gone.
  public func writeAvailable(_ bytes: ArraySlice<UInt8>) throws -> Int {
    let sent = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    if sent >= 0 { return sent }
    guard errno == EAGAIN || errno == EINTR else {
      throw TestSupportError(.closed, "writing failed: \(lastSystemError())")
    }
    return 0
  }

  /// Waits until the socket is ready for any of `events` (`POLLIN`, `POLLOUT`); returns what it is ready for, 0 if the
  /// deadline passed.
  public func wait(for events: Int16, until deadline: ContinuousClock.Instant) -> Int16 {
    while true {
      let left = ContinuousClock.now.duration(to: deadline)
      var request = pollfd(fd: descriptor, events: events, revents: 0)
      let milliseconds = max(0, left / .milliseconds(1))
      let found = poll(&request, 1, Int32(min(milliseconds.rounded(.up), 60_000)))
      if found > 0 { return request.revents }
      if ContinuousClock.now >= deadline { return 0 }
    }
  }
}

/// A listening socket. Closed when the object goes.
final class ListeningSocket: Sendable {
  /// Where it listens; the real port if 0 was asked for.
  let address: SocketAddress
  let descriptor: Int32

  init(_ address: SocketAddress, backlog: Int32 = 128) throws {
    let descriptor = try makeSocket(for: address)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard try withSocketAddress(address, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, backlog) == 0 else {
      let reason = lastSystemError()
      close(descriptor)
      throw TestSupportError(.system, "can't listen on \(address): \(reason)")
    }
    setNonBlocking(descriptor)
    self.descriptor = descriptor
    self.address = address == .port(0) ? .port(boundPort(of: descriptor)) : address
  }

  deinit {
    close(descriptor)
  }

  /// The next connection, waited for; nil once the socket was shut down.
  func accept() -> Socket? {
    while true {
      if let socket = acceptAvailable() { return socket }
      guard errno == EAGAIN || errno == EINTR || errno == ECONNABORTED else { return nil }
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      poll(&request, 1, -1)
      // Accepting on a unix socket that was shut down says "try again" for ever; only polling tells the end.
      guard Int32(request.revents) & (POLLHUP | POLLERR) == 0 else { return nil }
    }
  }

  /// The next connection if there is one at this moment; nil, with the reason in `errno`, if not.
  func acceptAvailable() -> Socket? {
    let connection = Foundation.accept(descriptor, nil, nil)
    return connection >= 0 ? Socket(takingOwnership: connection) : nil
  }

  /// Wakes whoever waits in ``accept()``.
  func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}

/// The ports that ``freePort()`` has tried. It gives none of them again: the server that one is for may not listen yet.
private let triedPorts = Mutex<Set<UInt16>>([])

/// A port of 127.0.0.1 that nobody used a moment ago, and that the system gives to no connection: those have ports from
/// 32768 on.
///
/// - Throws: ``TestSupportError`` with code `system`.
public func freePort() throws -> UInt16 {
  // A part of the ports by the process' number: several processes run tests at once.
  let first = 10_000 + UInt16(getpid() % 16) * 1_423
  for _ in 0..<1_000 {
    let port = UInt16.random(in: first..<first + 1_423)
    guard triedPorts.withLock({ $0.insert(port).inserted }) else { continue }
    if (try? ListeningSocket(.port(port))) != nil { return port }
  }
  throw TestSupportError(.system, "no port is free")
}

/// Two connected sockets, one of which is for a child. Both are the caller's to close.
func socketPair() throws -> (ours: Int32, theirs: Int32) {
  var ends: [Int32] = [0, 0]
  guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
    throw TestSupportError(.system, "no pair of sockets: \(lastSystemError())")
  }
  return (ends[0], ends[1])
}

private func makeSocket(for address: SocketAddress) throws -> Int32 {
  let family = if case .unix = address { AF_UNIX } else { AF_INET }
  let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  guard descriptor >= 0 else { throw TestSupportError(.system, "no socket: \(lastSystemError())") }
  return descriptor
}

private func setNonBlocking(_ descriptor: Int32) {
  _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}

private func boundPort(of descriptor: Int32) -> UInt16 {
  var bound = sockaddr_in()
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  withUnsafeMutablePointer(to: &bound) {
    _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
  }
  return UInt16(bigEndian: bound.sin_port)
}

private func withSocketAddress<Result>(
  _ address: SocketAddress,
  _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
) throws -> Result {
  switch address {
  case .unix(let path):
    var value = sockaddr_un()
    value.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: value.sun_path) else {
      throw TestSupportError(.system, "the socket's path is too long: \(path)")
    }
    withUnsafeMutableBytes(of: &value.sun_path) { $0.copyBytes(from: bytes) }
    return try withUnsafePointer(to: &value) {
      try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        try body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  case .port(let port):
    var value = sockaddr_in()
    value.sin_family = sa_family_t(AF_INET)
    value.sin_port = port.bigEndian
    value.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return try withUnsafePointer(to: &value) {
      try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
