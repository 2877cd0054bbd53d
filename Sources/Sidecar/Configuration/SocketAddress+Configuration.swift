internal import Sockets

// Addresses as the configuration has them: absolute paths, no empty host, and the default port of a URL.

/// Why a text is not an address. The sentence does not repeat the text, which may hold a password.
struct AddressMistake: Error, Equatable {
  let message: String
}

extension SocketAddress {
  /// Reads a value of `listen`: `host:port`, `[::1]:port` or `unix:/path`.
  init(listening text: String) throws(AddressMistake) {
    if let path = Self.socketPath(of: text) {
      self = try .unix(checkedPath: path)
    } else if text.contains("://") {
      throw AddressMistake(message: "expected an address such as 127.0.0.1:6400 or unix:/run/sidecar.sock, not a URL")
    } else {
      self = try .tcp(authority: text, defaultPort: nil, ports: 0...65535)
    }
  }

  /// Returns the path of `unix:/path` and `unix:///path`; nil for a text that does not begin with `unix:`.
  static func socketPath(of text: String) -> String? {
    guard text.hasPrefix("unix:") else { return nil }
    let rest = text.dropFirst("unix:".count)
    return String(rest.hasPrefix("//") ? rest.dropFirst(2) : rest)
  }

  /// Returns the address of a unix socket, if its path is valid.
  static func unix(checkedPath path: String) throws(AddressMistake) -> Self {
    guard path.hasPrefix("/") else {
      throw AddressMistake(message: "the path of a unix socket has to be absolute, such as unix:/run/sidecar.sock")
    }
    guard path.utf8.count <= longestPathBytes, !path.utf8.contains(0) else {
      let count = path.utf8.count
      throw AddressMistake(
        message: "the path of a unix socket may have \(longestPathBytes) bytes at most; this one has \(count)"
      )
    }
    return .unix(path: path)
  }

  /// Reads `host[:port]`, with an IPv6 literal in brackets. Without a default the port is required.
  static func tcp(authority: String, defaultPort: Int?, ports: ClosedRange<Int>) throws(AddressMistake) -> Self {
    var host = authority[...]
    var portText: Substring?
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else {
        throw AddressMistake(message: "the closing bracket of the IPv6 address is missing")
      }
      host = authority[authority.index(after: authority.startIndex)..<end]
      let rest = authority[authority.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else {
        throw AddressMistake(message: "after the closing bracket of an IPv6 address only :port may follow")
      }
      portText = rest.isEmpty ? nil : rest.dropFirst()
      guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) || $0.isLetter }) else {
        throw AddressMistake(message: "between the brackets has to be an IPv6 address, such as [::1]:6379")
      }
    } else {
      if let colon = authority.lastIndex(of: ":") {
        host = authority[..<colon]
        portText = authority[authority.index(after: colon)...]
      }
      guard !host.contains(":") else {
        throw AddressMistake(message: "an IPv6 address has to be in brackets, such as [::1]:6379")
      }
      guard host.utf8.allSatisfy(isHostByte) else {
        throw AddressMistake(message: "the host has a character that no host name can have")
      }
    }
    guard !host.isEmpty else { throw AddressMistake(message: "the host is missing") }
    guard let portText else {
      guard let defaultPort else {
        throw AddressMistake(
          message: "the port is missing; expected an address such as 127.0.0.1:6400 or unix:/run/s.sock"
        )
      }
      return .tcp(host: String(host), port: defaultPort)
    }
    guard portText.utf8.allSatisfy(isDigit), let port = Int(portText), ports.contains(port) else {
      throw AddressMistake(message: "the port has to be a number from \(ports.lowerBound) to \(ports.upperBound)")
    }
    return .tcp(host: String(host), port: port)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Letters, digits, `-`, `.` and the `_` of container networks' names.
  private static func isHostByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_")].contains(byte)
  }
}
