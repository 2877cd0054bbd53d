internal import Glibc

/// A socket that listens, not blocking and closed on exec, until its descriptor is handed on.
///
/// It is made here and not by libmicrohttpd, which says only that a start failed and never why.
struct ListeningSocket: ~Copyable {
  /// Connections that may wait to be accepted: more than a crowd opens while one turn of the server takes. Beyond them
  /// the kernel lets a new client wait for a second.
  private static let backlog: Int32 = 1024

  /// The part that the kernel keeps of an answer that a client does not read; without a bound it would be megabytes.
  /// Connections take it over from the socket that listens.
  private static let sendBufferBytes: Int32 = 64 * 1024

  /// What tells our socket file from one that another process has put in its place since.
  struct FileIdentity: Sendable, Equatable {
    let device: UInt64
    let inode: UInt64
  }

  /// Negative once it has been handed on.
  private var descriptor: Int32
  /// The address, with the real port when any free one was asked for.
  let address: HTTPListenAddress
  /// The socket file, for a unix socket.
  let file: FileIdentity?

  /// Binds and listens.
  ///
  /// - Parameters:
  ///   - address: The address; a socket file that nobody listens on any more is replaced.
  ///   - socketMode: The permissions of a unix socket's file.
  init(_ address: HTTPListenAddress, socketMode: UInt32) throws(HTTPServerError) {
    switch address {
    case .tcp(let host, let port):
      descriptor = try Self.listen(host: host, port: port, address: address)
      self.address = .tcp(host: host, port: Self.boundPort(of: descriptor) ?? port)
      file = nil
      Self.setOption(descriptor, SOL_SOCKET, SO_SNDBUF, Self.sendBufferBytes)
    case .unix(let path):
      descriptor = try Self.listen(path: path, mode: socketMode, address: address)
      self.address = address
      file = Self.identity(ofSocketAt: path)
    }
  }

  /// Takes over a socket that somebody else has bound, and whose file is therefore not ours.
  init(_ activated: ActivatedSocket) {
    descriptor = activated.descriptor
    address = activated.address
    file = nil
    Self.setOption(descriptor, SOL_SOCKET, SO_SNDBUF, Self.sendBufferBytes)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Hands the descriptor to a new owner, who closes it.
  consuming func release() -> Int32 {
    let released = descriptor
    descriptor = -1
    return released
  }

  /// Device and inode of the socket file at `path`; nil when there is none, or something else.
  static func identity(ofSocketAt path: String) -> FileIdentity? {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  // MARK: TCP

  private static func listen(host: String, port: Int, address: HTTPListenAddress) throws(HTTPServerError) -> Int32 {
    let candidates: [SocketAddress]
    do throws(ResolutionError) {
      candidates = try SocketAddress.resolve(host: host, port: port, forListening: true)
    } catch {
      throw HTTPServerError(kind: .addressUnavailable, address: address, reason: error.reason)
    }
    var code = EADDRNOTAVAIL
    for candidate in candidates {
      let descriptor = socket(candidate.family, streamType, 0)
      guard descriptor >= 0 else {
        code = errno
        continue
      }
      setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
      if candidate.family == AF_INET6 {
        // Only ':PORT' means both families; '[::]:PORT' and '[::1]:PORT' are IPv6 alone, as they say.
        setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, host.isEmpty ? 0 : 1)
      }
      if candidate.withSockaddr({ bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, backlog) == 0 {
        return descriptor
      }
      code = errno
      close(descriptor)
      // A family that this machine lacks is no reason to give up; an address that is taken is.
      guard code == EADDRNOTAVAIL || code == EAFNOSUPPORT else { break }
    }
    throw failure(code, address)
  }

  private static func boundPort(of descriptor: Int32) -> Int? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutableBytes(of: &storage) { bytes in
      let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
      guard getsockname(descriptor, pointer, &length) == 0 else { return nil }
      // The port is at the same place in sockaddr_in and sockaddr_in6, in network byte order.
      return Int(UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self)))
    }
  }

  // MARK: Unix sockets

  private static func listen(path: String, mode: UInt32, address: HTTPListenAddress) throws(HTTPServerError) -> Int32 {
    let target = SocketAddress(socketPath: path)
    try removeStaleSocket(at: path, target: target, address: address)
    let descriptor = socket(AF_UNIX, streamType, 0)
    guard descriptor >= 0 else { throw failure(errno, address) }
    // Nobody can connect before listen(), so the permissions are in force in time.
    if target.withSockaddr({ bind(descriptor, $0, $1) }) == 0, chmod(path, mode) == 0,
      Glibc.listen(descriptor, backlog) == 0
    {
      return descriptor
    }
    let code = errno
    close(descriptor)
    throw failure(code, address)
  }

  /// A process that was killed leaves its socket file behind: whoever connects is refused, and then it can go.
  private static func removeStaleSocket(
    at path: String,
    target: SocketAddress,
    address: HTTPListenAddress
  ) throws(HTTPServerError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw HTTPServerError(kind: .notASocket, address: address, reason: "a file that is not a socket is in the way")
    }
    let probe = socket(AF_UNIX, streamType, 0)
    guard probe >= 0 else { throw failure(errno, address) }
    defer { close(probe) }
    guard target.withSockaddr({ connect(probe, $0, $1) }) != 0 else { throw failure(EADDRINUSE, address) }
    // EAGAIN: somebody listens and his backlog is full.
    if errno == EAGAIN { throw failure(EADDRINUSE, address) }
    guard errno == ECONNREFUSED, unlink(path) == 0 || errno == ENOENT else { throw failure(errno, address) }
  }

  // MARK: Both

  private static var streamType: Int32 {
    Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
  }

  private static func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func failure(_ code: Int32, _ address: HTTPListenAddress) -> HTTPServerError {
    let kind: HTTPServerError.Kind =
      switch code {
      case EADDRINUSE: .addressInUse
      case EACCES, EPERM: .permissionDenied
      case EADDRNOTAVAIL: .addressUnavailable
      default: .system(code: code)
      }
    return HTTPServerError(kind: kind, address: address, reason: systemMessage(code))
  }
}

/// The operating system's words for an error number, in the middle of a sentence.
func systemMessage(_ code: Int32) -> String {
  String(cString: strerror(code)).lowercased()
}
