package import Glibc

/// The reason why a host has no address, in the resolver's words.
package struct ResolutionError: Error {
  package let reason: String
}

/// The bytes of a `sockaddr`, for bind and connect.
package struct ResolvedAddress {
  /// `AF_INET`, `AF_INET6` or `AF_UNIX`.
  package let family: Int32
  private let bytes: [UInt8]

  /// Creates the address of a unix socket.
  ///
  /// - Precondition: The path has at most ``SocketAddress/longestPathBytes`` bytes.
  package init(socketPath path: String) {
    precondition(path.utf8.count <= SocketAddress.longestPathBytes, "the path does not fit into sun_path")
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

  /// Returns the addresses of a host. It blocks while the resolver works.
  ///
  /// IPv4 comes first for a name: a client that is given `localhost` or `127.0.0.1` finds the same listener. Without a
  /// host IPv6 comes first, whose wildcard address serves both families.
  package static func resolve(
    host: String,
    port: Int,
    forListening: Bool
  ) throws(ResolutionError) -> [ResolvedAddress] {
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
    var found: [ResolvedAddress] = []
    var next = list
    while let entry = next {
      next = entry.pointee.ai_next
      guard let pointer = entry.pointee.ai_addr else { continue }
      let raw = UnsafeRawBufferPointer(start: pointer, count: Int(entry.pointee.ai_addrlen))
      found.append(ResolvedAddress(family: entry.pointee.ai_family, bytes: [UInt8](raw)))
    }
    let preferred = host.isEmpty && forListening ? AF_INET6 : AF_INET
    return found.filter { $0.family == preferred } + found.filter { $0.family != preferred }
  }

  /// Calls `body` with the address; the pointer is not valid afterwards.
  package func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    bytes.withUnsafeBytes { buffer in
      // An array's storage is aligned to 16 bytes, which is enough for every sockaddr.
      body(buffer.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
    }
  }
}

/// Returns the system's words for an error number, in lower case for the middle of a sentence.
package func systemMessage(_ code: Int32) -> String {
  String(cString: strerror(code)).lowercased()
}
