internal import CUV
internal import Glibc

/// A listener could not be started.
public struct ListenError: Error, Equatable, CustomStringConvertible {
  /// Where it was to listen.
  public let address: SocketAddress
  /// Why it can't.
  public let reason: String

  /// For humans: `127.0.0.1:6400: address already in use`.
  public var description: String { "\(address): \(reason)" }
}

/// Opens sockets that listen. All of it is synchronous: a listener starts before the loop does.
enum ListeningSocket {
  /// Bytes that a unix socket's path may have; the kernel wants a zero byte after it.
  static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

  /// A non-blocking socket that listens at `address`, and the address with the port that it really got.
  static func open(at address: SocketAddress, backlog: Int) throws(ListenError) -> (fd: Int32, bound: SocketAddress) {
    do {
      switch address {
      case .tcp(let host, let port):
        return try openTCP(host: host, port: port, backlog: backlog)
      case .unix(let path):
        return (try openUnix(path: path, backlog: backlog), address)
      }
    } catch let error as SystemError {
      throw ListenError(address: address, reason: error.reason)
    } catch let error as Reason {
      throw ListenError(address: address, reason: error.text)
    } catch {
      throw ListenError(address: address, reason: "\(error)")
    }
  }

  /// Sets what every socket of a loop has: non-blocking, and closed in child processes.
  static func configure(_ fd: Int32) {
    _ = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)
    _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
  }

  /// A reason that no error number stands for.
  private struct Reason: Error {
    var text: String
  }

  private static func openTCP(
    host: String,
    port: Int,
    backlog: Int
  ) throws -> (fd: Int32, bound: SocketAddress) {
    guard (0...65535).contains(port) else { throw Reason(text: "the port is not between 0 and 65535") }
    var hints = addrinfo()
    hints.ai_flags = AI_PASSIVE
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, String(port), &hints, &list)
    guard result == 0, let list else { throw Reason(text: String(cString: gai_strerror(result))) }
    defer { freeaddrinfo(list) }
    // A name may have several addresses: the first one that can be had.
    var firstError: SystemError?
    for entry in sequence(first: list, next: { $0.pointee.ai_next }) {
      do throws(SystemError) {
        let fd = try listen(entry.pointee, backlog: backlog)
        return (fd, boundAddress(fd) ?? .tcp(host: host, port: port))
      } catch {
        firstError = firstError ?? error
      }
    }
    throw firstError ?? SystemError(errno: EADDRNOTAVAIL)
  }

  private static func listen(_ info: addrinfo, backlog: Int) throws(SystemError) -> Int32 {
    let fd = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
    guard fd >= 0 else { throw SystemError(errno: errno) }
    configure(fd)
    var yes: Int32 = 1
    // So that a restart does not have to wait for connections in TIME_WAIT.
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard bind(fd, info.ai_addr, info.ai_addrlen) == 0, Glibc.listen(fd, Int32(backlog)) == 0 else {
      let error = SystemError(errno: errno)
      close(fd)
      throw error
    }
    return fd
  }

  private static func boundAddress(_ fd: Int32) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { storage in
      let address = UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
      guard getsockname(fd, address, &length) == 0 else { return nil }
      return SocketAddress(address)
    }
  }

  private static func openUnix(path: String, backlog: Int) throws -> Int32 {
    guard (1...longestPath).contains(path.utf8.count) else {
      throw Reason(text: "the path of a unix socket has 1 to \(longestPath) bytes, this one has \(path.utf8.count)")
    }
    do throws(SystemError) {
      return try listenUnix(path: path, backlog: backlog)
    } catch {
      guard error.code == EADDRINUSE else { throw error }
      try removeStaleSocket(path: path, inUse: error)
      return try listenUnix(path: path, backlog: backlog)
    }
  }

  private static func listenUnix(path: String, backlog: Int) throws(SystemError) -> Int32 {
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard fd >= 0 else { throw SystemError(errno: errno) }
    configure(fd)
    let result = withUnixAddress(path) { bind(fd, $0, $1) }
    guard result == 0, Glibc.listen(fd, Int32(backlog)) == 0 else {
      let error = SystemError(errno: errno)
      close(fd)
      throw error
    }
    return fd
  }

  /// A process that was killed leaves its socket file behind. It is stale when nobody answers there.
  private static func removeStaleSocket(path: String, inUse: SystemError) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw Reason(text: "there is a file that is not a socket") }
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard fd >= 0 else { throw SystemError(errno: errno) }
    defer { close(fd) }
    configure(fd)
    let result = withUnixAddress(path) { connect(fd, $0, $1) }
    guard result != 0, errno == ECONNREFUSED else { throw inUse }
    guard unlink(path) == 0 else { throw SystemError(errno: errno) }
  }

  private static func withUnixAddress<Result>(
    _ path: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(longestPath)) }
    return withUnsafePointer(to: &address) { address in
      body(
        UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_un>.size)
      )
    }
  }
}

extension SocketAddress {
  /// The TCP address in a C socket address, nil for other families.
  init?(_ address: UnsafePointer<sockaddr>) {
    let raw = UnsafeRawPointer(address)
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let port: UInt16
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      var source = raw.loadUnaligned(as: sockaddr_in.self)
      inet_ntop(AF_INET, &source.sin_addr, &text, socklen_t(text.count))
      port = source.sin_port
    case AF_INET6:
      var source = raw.loadUnaligned(as: sockaddr_in6.self)
      inet_ntop(AF_INET6, &source.sin6_addr, &text, socklen_t(text.count))
      port = source.sin6_port
    default:
      return nil
    }
    let host = text.withUnsafeBufferPointer { text in text.baseAddress.map { String(cString: $0) } ?? "" }
    self = .tcp(host: host, port: Int(UInt16(bigEndian: port)))
  }
}
