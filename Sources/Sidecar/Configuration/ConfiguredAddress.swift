#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An address to listen on or to connect to, as it is written in the configuration.
public enum ConfiguredAddress: Sendable, Hashable, CustomStringConvertible {
  /// A host name or IP literal (IPv6 without its brackets) and a port; port 0 lets the system choose when listening.
  case tcp(host: String, port: Int)
  /// The absolute path of a unix socket.
  case unix(path: String)

  /// Why a text is no address. The sentence does not repeat the text, which may hold a password.
  struct Mistake: Error, Equatable {
    let message: String
  }

  /// The longest path that fits `sockaddr_un.sun_path` with its closing zero: 108 bytes on Linux, 104 on Darwin
  /// (unix(7) and sys/un.h).
  static var longestSocketPathBytes: Int {
    MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
  }

  /// As `listen` takes it: `host:port`, `[::1]:port` or `unix:/path`.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  /// Reads what `listen` takes.
  init(listening text: String) throws(Mistake) {
    if let path = Self.socketPath(of: text) {
      self = try .unix(checkedPath: path)
    } else if text.contains("://") {
      throw Mistake(message: "expected an address such as 127.0.0.1:6400 or unix:/run/sidecar.sock, not a URL")
    } else {
      self = try .tcp(authority: text, defaultPort: nil, ports: 0...65535)
    }
  }

  /// The path of `unix:/path` and `unix:///path`; nil when the text does not begin with `unix:`.
  static func socketPath(of text: String) -> String? {
    guard text.hasPrefix("unix:") else { return nil }
    let rest = text.dropFirst("unix:".count)
    return String(rest.hasPrefix("//") ? rest.dropFirst(2) : rest)
  }

  /// A unix socket, if the system can have one at this path.
  static func unix(checkedPath path: String) throws(Mistake) -> Self {
    guard path.hasPrefix("/") else {
      throw Mistake(message: "the path of a unix socket has to be absolute, such as unix:/run/sidecar.sock")
    }
    guard path.utf8.count <= longestSocketPathBytes, !path.utf8.contains(0) else {
      let count = path.utf8.count
      throw Mistake(
        message: "the path of a unix socket may have \(longestSocketPathBytes) bytes at most; this one has \(count)"
      )
    }
    return .unix(path: path)
  }

  /// `host[:port]`, with the host in brackets when it is an IPv6 literal; without a default the port is obligatory.
  static func tcp(authority: String, defaultPort: Int?, ports: ClosedRange<Int>) throws(Mistake) -> Self {
    var host = authority[...]
    var portText: Substring?
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else {
        throw Mistake(message: "the closing bracket of the IPv6 address is missing")
      }
      host = authority[authority.index(after: authority.startIndex)..<end]
      let rest = authority[authority.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else {
        throw Mistake(message: "after the closing bracket of an IPv6 address only :port may follow")
      }
      portText = rest.isEmpty ? nil : rest.dropFirst()
      guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) || $0.isLetter }) else {
        throw Mistake(message: "between the brackets has to be an IPv6 address, such as [::1]:6379")
      }
    } else {
      if let colon = authority.lastIndex(of: ":") {
        host = authority[..<colon]
        portText = authority[authority.index(after: colon)...]
      }
      guard !host.contains(":") else {
        throw Mistake(message: "an IPv6 address has to be in brackets, such as [::1]:6379")
      }
      guard host.utf8.allSatisfy(isHostByte) else {
        throw Mistake(message: "the host has a character that no host name can have")
      }
    }
    guard !host.isEmpty else { throw Mistake(message: "the host is missing") }
    guard let portText else {
      guard let defaultPort else {
        throw Mistake(message: "the port is missing; expected an address such as 127.0.0.1:6400 or unix:/run/s.sock")
      }
      return .tcp(host: String(host), port: defaultPort)
    }
    guard portText.utf8.allSatisfy(isDigit), let port = Int(portText), ports.contains(port) else {
      throw Mistake(message: "the port has to be a number from \(ports.lowerBound) to \(ports.upperBound)")
    }
    return .tcp(host: String(host), port: port)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Letters, digits, `-`, `.` and the `_` that container networks put in names.
  private static func isHostByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_")].contains(byte)
  }
}
