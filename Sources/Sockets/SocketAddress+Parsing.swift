/// The reason why a text is not an address. It does not repeat the text, which may hold a password.
package struct AddressMistake: Error, Equatable {
  /// The reason as the end of a sentence.
  package let reason: String
}

extension SocketAddress {
  /// Reads `127.0.0.1:9736`, `[::1]:9736`, `localhost:9736`, `:9736` (every interface) or `unix:/path/to/socket`.
  ///
  /// - Throws: ``SocketAddressError`` with a sentence that shows the accepted forms.
  public static func parse(_ text: String) throws(SocketAddressError) -> SocketAddress {
    do throws(AddressMistake) {
      if let path = socketPath(of: text) { return try unix(checkedPath: path) }
      let (host, port) = try split(authority: text, ports: 0...65535)
      guard let port else { throw AddressMistake(reason: "the port is missing") }
      return .tcp(host: host, port: port)
    } catch {
      throw SocketAddressError(text: text, reason: error.reason)
    }
  }

  /// Returns the path of `unix:/path` and `unix:///path`; nil for a text that does not begin with `unix:`.
  package static func socketPath(of text: String) -> String? {
    guard text.hasPrefix("unix:") else { return nil }
    let rest = text.dropFirst("unix:".count)
    return String(rest.hasPrefix("//") ? rest.dropFirst(2) : rest)
  }

  /// Returns the address of a unix socket if a socket can have this path.
  package static func unix(checkedPath path: String) throws(AddressMistake) -> SocketAddress {
    guard !path.isEmpty else { throw AddressMistake(reason: "the path of the socket is missing") }
    guard path.utf8.count <= longestPathBytes, !path.utf8.contains(0) else {
      throw AddressMistake(
        reason: "the path of a unix socket may have \(longestPathBytes) bytes at most; this one has \(path.utf8.count)"
      )
    }
    return .unix(path: path)
  }

  /// Splits `host[:port]`, with an IPv6 literal in brackets. The host may be empty.
  ///
  /// - Returns: The host without brackets, and the port; nil without one.
  package static func split(
    authority: String,
    ports: ClosedRange<Int>
  ) throws(AddressMistake) -> (host: String, port: Int?) {
    var host = authority[...]
    var digits: Substring?
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else {
        throw AddressMistake(reason: "the closing bracket of the IPv6 address is missing")
      }
      host = authority[..<end].dropFirst()
      let rest = authority[end...].dropFirst()
      guard rest.isEmpty || rest.hasPrefix(":") else {
        throw AddressMistake(reason: "after the closing bracket of an IPv6 address only :port may follow")
      }
      digits = rest.isEmpty ? nil : rest.dropFirst()
      // The resolver takes a zone as well, such as %eth0.
      guard isIPv6Address(String(host.prefix { $0 != "%" })) else {
        throw AddressMistake(reason: "between the brackets has to be an IPv6 address, such as [::1]:6379")
      }
    } else {
      if let colon = authority.lastIndex(of: ":") {
        (host, digits) = (authority[..<colon], authority[colon...].dropFirst())
      }
      guard !host.contains(":") else {
        throw AddressMistake(reason: "an IPv6 address has to be in brackets, such as [::1]:6379")
      }
      // Container networks have names with underscores.
      guard host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isWholeNumber) || "-._".contains($0) }) else {
        throw AddressMistake(reason: "the host has a character that no host name can have")
      }
    }
    guard let digits else { return (String(host), nil) }
    guard digits.allSatisfy({ $0.isASCII && $0.isWholeNumber }), let port = Int(digits), ports.contains(port) else {
      throw AddressMistake(reason: "the port has to be a number from \(ports.lowerBound) to \(ports.upperBound)")
    }
    return (String(host), port)
  }
}

/// A text that is not a socket address.
public struct SocketAddressError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The text as it was given.
  public let text: String
  /// The mistake.
  public let reason: String

  /// One sentence that names the text, the mistake and the accepted forms.
  public var description: String {
    "'\(text)' is not a listen address: \(reason); write HOST:PORT, [IPV6]:PORT, :PORT or unix:/path/to/socket"
  }
}
