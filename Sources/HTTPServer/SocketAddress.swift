internal import Glibc

/// A host that stands for no address, with the resolver's words.
struct ResolutionError: Error {
  let reason: String
}

/// The bytes of a `sockaddr`, for bind and connect.
struct SocketAddress {
  /// `AF_INET`, `AF_INET6` or `AF_UNIX`.
  let family: Int32
  private let bytes: [UInt8]

  /// The address of a socket file, whose path is short enough (``HTTPListenAddress/maximumSocketPathBytes``).
  init(socketPath path: String) {
    precondition(path.utf8.count <= HTTPListenAddress.maximumSocketPathBytes, "the path does not fit into sun_path")
    family = AF_UNIX
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    bytes = withUnsafeBytes(of: address) { [UInt8]($0) }
  }

  private init(family: Int32, bytes: [UInt8]) {
    self.family = family
    self.bytes = bytes
  }

  /// The addresses that a host stands for: IPv4 first for a name, IPv6 first (for both families) without one.
  static func resolve(
    host: String,
    port: Int,
    forListening: Bool
  ) throws(ResolutionError) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (forListening ? AI_PASSIVE : 0)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &list)
    guard code == 0 else {
      let words = code == EAI_SYSTEM ? systemMessage(errno) : String(cString: gai_strerror(code)).lowercased()
      throw ResolutionError(reason: words)
    }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = list
    while let entry = next {
      next = entry.pointee.ai_next
      guard let pointer = entry.pointee.ai_addr else { continue }
      let raw = UnsafeRawBufferPointer(start: pointer, count: Int(entry.pointee.ai_addrlen))
      found.append(SocketAddress(family: entry.pointee.ai_family, bytes: [UInt8](raw)))
    }
    let preferred = host.isEmpty && forListening ? AF_INET6 : AF_INET
    return found.filter { $0.family == preferred } + found.filter { $0.family != preferred }
  }

  /// Lends the address to a system call; the pointer is not valid afterwards.
  func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    bytes.withUnsafeBytes { buffer in
      // An array's storage is aligned to 16 bytes, which is enough for every sockaddr.
      body(buffer.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
    }
  }
}
