internal import Glibc

/// A listening socket, non-blocking and closed on exec. It is closed unless its descriptor is released to a new owner.
package struct ListeningSocket: ~Copyable {
  /// The options in which the listeners of this package differ.
  package struct Options {
    /// The number of connections that the kernel keeps until they are accepted. Beyond it a client retries after a
    /// second.
    package var backlog: Int32
    /// The permissions of a unix socket's file; nil for those of the process' umask.
    package var socketMode: UInt32?
    /// The bound of the kernel's send buffer, which accepted connections inherit; nil for the system's.
    package var sendBufferBytes: Int32?
    /// Whether an IPv6 address accepts IPv6 alone, the wildcard address included. The wildcard of an empty host always
    /// accepts both families.
    package var isIPv6Only: Bool

    /// Creates options; the defaults are the system's.
    package init(
      backlog: Int32,
      socketMode: UInt32? = nil,
      sendBufferBytes: Int32? = nil,
      isIPv6Only: Bool = false
    ) {
      self.backlog = backlog
      self.socketMode = socketMode
      self.sendBufferBytes = sendBufferBytes
      self.isIPv6Only = isIPv6Only
    }
  }

  /// Negative once it has been released.
  private var descriptor: Int32
  /// The address that the socket is bound to: an IP literal with the real port, or the path.
  package let boundAddress: SocketAddress
  /// The file of a unix socket; nil for a socket that another process has bound.
  package let file: SocketFile?

  /// Binds and listens. A host name is resolved while this waits.
  ///
  /// Of several addresses of a host the first one of an available family is taken; one that is in use is an error. A
  /// socket file without a listener, which a killed process leaves behind, is replaced.
  package init(_ address: SocketAddress, _ options: Options) throws(ListenError) {
    switch address {
    case .tcp(let host, let port):
      descriptor = try Self.listen(host: host, port: port, options, address)
      file = nil
    case .unix(let path):
      descriptor = try Self.listen(path: path, options, address)
      file = SocketFile(at: path)
    }
    boundAddress = SocketAddress.bound(to: descriptor) ?? address
  }

  /// Takes over a socket that the service manager has bound; its file is not removed.
  package init(_ activated: ActivatedSocket, _ options: Options) {
    descriptor = activated.descriptor
    boundAddress = activated.address
    file = nil
    Self.setSendBuffer(descriptor, options)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Returns the descriptor to a new owner, which closes it.
  package consuming func release() -> Int32 {
    let released = descriptor
    descriptor = -1
    return released
  }

  // MARK: TCP

  private static func listen(
    host: String,
    port: Int,
    _ options: Options,
    _ address: SocketAddress
  ) throws(ListenError) -> Int32 {
    guard (0...65535).contains(port) else {
      throw ListenError(.addressUnavailable, address: address, reason: "the port is not between 0 and 65535")
    }
    let candidates: [ResolvedAddress]
    do throws(ResolutionError) {
      candidates = try ResolvedAddress.resolve(host: host, port: port, forListening: true)
    } catch {
      throw ListenError(.addressUnavailable, address: address, reason: error.reason)
    }
    var code = EADDRNOTAVAIL
    for candidate in candidates {
      let descriptor = socket(candidate.family, streamType, 0)
      guard descriptor >= 0 else {
        code = errno
        continue
      }
      // A restart does not have to wait for connections in TIME_WAIT.
      setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
      if candidate.family == AF_INET6 {
        setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, options.isIPv6Only && !host.isEmpty ? 1 : 0)
      }
      setSendBuffer(descriptor, options)
      if bindAndListen(descriptor, candidate, options) { return descriptor }
      code = errno
      close(descriptor)
      // A family that this machine lacks is no reason to fail; an address that is in use is.
      guard code == EADDRNOTAVAIL || code == EAFNOSUPPORT else { break }
    }
    throw ListenError(errno: code, address: address)
  }

  // MARK: Unix sockets

  private static func listen(path: String, _ options: Options, _ address: SocketAddress) throws(ListenError) -> Int32 {
    let longest = SocketAddress.longestPathBytes
    guard (1...longest).contains(path.utf8.count) else {
      throw ListenError(
        .addressUnavailable,
        address: address,
        reason: "the path of a unix socket has 1 to \(longest) bytes, this one has \(path.utf8.count)"
      )
    }
    let target = ResolvedAddress(socketPath: path)
    try removeStaleSocket(at: path, target: target, address)
    let descriptor = socket(AF_UNIX, streamType, 0)
    guard descriptor >= 0 else { throw ListenError(errno: errno, address: address) }
    if bindAndListen(descriptor, target, options, path: path) { return descriptor }
    let code = errno
    close(descriptor)
    throw ListenError(errno: code, address: address)
  }

  /// Removes a socket file whose process has ended: connecting to it is refused.
  private static func removeStaleSocket(
    at path: String,
    target: ResolvedAddress,
    _ address: SocketAddress
  ) throws(ListenError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw ListenError(.notASocket, address: address, reason: "there is a file that is not a socket")
    }
    let probe = socket(AF_UNIX, streamType, 0)
    guard probe >= 0 else { throw ListenError(errno: errno, address: address) }
    defer { close(probe) }
    let isConnected = target.withSockaddr { connect(probe, $0, $1) } == 0
    // EAGAIN: there is a listener, and its backlog is full.
    guard !isConnected, errno != EAGAIN else { throw ListenError(errno: EADDRINUSE, address: address) }
    guard errno == ECONNREFUSED, unlink(path) == 0 || errno == ENOENT else {
      throw ListenError(errno: errno, address: address)
    }
  }

  // MARK: Both

  private static var streamType: Int32 {
    Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
  }

  /// Returns false, with the reason in `errno`, if the socket cannot listen at the address. The permissions of a socket
  /// file are set before it listens, so that no client can connect earlier.
  private static func bindAndListen(
    _ descriptor: Int32,
    _ target: ResolvedAddress,
    _ options: Options,
    path: String? = nil
  ) -> Bool {
    guard target.withSockaddr({ bind(descriptor, $0, $1) }) == 0 else { return false }
    if let path, let mode = options.socketMode, chmod(path, mode) != 0 { return false }
    return Glibc.listen(descriptor, options.backlog) == 0
  }

  private static func setSendBuffer(_ descriptor: Int32, _ options: Options) {
    if let bytes = options.sendBufferBytes { setOption(descriptor, SOL_SOCKET, SO_SNDBUF, bytes) }
  }

  private static func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}
