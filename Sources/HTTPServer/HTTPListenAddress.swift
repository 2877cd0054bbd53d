internal import Glibc

/// Where an HTTP listener listens: a TCP port, or a unix socket.
public enum HTTPListenAddress: Sendable, Hashable {
  /// A host name or an IP address, and a port (0: any free one). An empty host stands for every interface.
  case tcp(host: String, port: Int)
  /// The path of a socket file.
  case unix(path: String)

  /// The longest path of a socket file in bytes: `sun_path` has 108 on Linux, and one is the terminating zero.
  public static let maximumSocketPathBytes = 107

  /// Reads `127.0.0.1:9736`, `[::1]:9736`, `localhost:9736`, `:9736` (every interface) or `unix:/path/to/socket`.
  ///
  /// - Throws: ``HTTPListenAddressError`` with a sentence that shows the accepted forms.
  public static func parse(_ text: String) throws(HTTPListenAddressError) -> HTTPListenAddress {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst("unix:".count))
      guard !path.isEmpty, !path.utf8.contains(0) else {
        throw HTTPListenAddressError(text: text, reason: "the path of the socket is missing")
      }
      guard path.utf8.count <= maximumSocketPathBytes else {
        throw HTTPListenAddressError(
          text: text,
          reason: "the path of a unix socket has at most \(maximumSocketPathBytes) bytes"
        )
      }
      return .unix(path: path)
    }
    guard let colon = text.lastIndex(of: ":") else {
      throw HTTPListenAddressError(text: text, reason: "the port is missing")
    }
    let host = try parseHost(text[..<colon], of: text)
    let digits = text[text.index(after: colon)...].utf8
    guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = Int(text[text.index(after: colon)...]), port <= Int(UInt16.max)
    else {
      throw HTTPListenAddressError(text: text, reason: "the port has to be a number from 0 to 65535")
    }
    return .tcp(host: host, port: port)
  }

  /// Whether only this machine can reach the address: `localhost`, 127.0.0.0/8, `::1` or a unix socket.
  ///
  /// A name other than `localhost` counts as reachable from elsewhere: what it resolves to is not ours to promise.
  public var isLoopbackOrUnix: Bool {
    switch self {
    case .unix: true
    case .tcp(let host, _): Self.isLoopback(host: host)
    }
  }

  static func isLoopback(host: String) -> Bool {
    if host.lowercased() == "localhost" { return true }
    if let address = ipv4Bytes(of: host) { return address[0] == 127 }
    guard let address = ipv6Bytes(of: host) else { return false }
    let mapped = address[..<10].allSatisfy { $0 == 0 } && address[10] == 0xff && address[11] == 0xff
    return mapped ? address[12] == 127 : address[..<15].allSatisfy { $0 == 0 } && address[15] == 1
  }

  /// Whether the text is an IP address rather than a name.
  static func isIPAddress(_ host: String) -> Bool {
    ipv4Bytes(of: host) != nil || ipv6Bytes(of: host) != nil
  }

  private static func parseHost(_ part: Substring, of text: String) throws(HTTPListenAddressError) -> String {
    if part.hasPrefix("[") {
      let host = String(part.dropFirst().dropLast())
      guard part.hasSuffix("]"), ipv6Bytes(of: host) != nil else {
        throw HTTPListenAddressError(text: text, reason: "what is in brackets has to be an IPv6 address")
      }
      return host
    }
    guard !part.contains(":") else {
      throw HTTPListenAddressError(text: text, reason: "an IPv6 address has to be in brackets")
    }
    let isName = part.utf8.allSatisfy { byte in
      // Bit 5 folds upper-case letters onto lower-case ones.
      (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "-._".utf8.contains(byte)
    }
    guard isName else {
      throw HTTPListenAddressError(text: text, reason: "the host has to be a name or an IP address")
    }
    return String(part)
  }

  private static func ipv4Bytes(of host: String) -> [UInt8]? { bytes(of: host, family: AF_INET, count: 4) }

  private static func ipv6Bytes(of host: String) -> [UInt8]? { bytes(of: host, family: AF_INET6, count: 16) }

  private static func bytes(of host: String, family: Int32, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return inet_pton(family, host, &bytes) == 1 ? bytes : nil
  }
}

extension HTTPListenAddress: CustomStringConvertible {
  /// The form that ``parse(_:)`` reads.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}

/// A text that is not a listen address.
public struct HTTPListenAddressError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The text as it was given.
  public let text: String
  /// What is wrong with it.
  public let reason: String

  /// One sentence that names the text, the mistake and the accepted forms.
  public var description: String {
    "'\(text)' is not a listen address: \(reason); write HOST:PORT, [IPV6]:PORT, :PORT or unix:/path/to/socket"
  }
}
