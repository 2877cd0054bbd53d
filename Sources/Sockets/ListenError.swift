internal import Glibc

/// A listener that could not be started.
public struct ListenError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The causes, for programs.
  public enum Kind: Sendable, Hashable {
    /// Another socket listens on the address.
    case addressInUse
    /// This process may not listen there: a port below 1024, or a folder it cannot write to.
    case permissionDenied
    /// The address is malformed, its host has no address, or the address is not one of this machine's.
    case addressUnavailable
    /// A file that is not a socket is at the path of the unix socket.
    case notASocket
    /// Any other error of the operating system, with its number.
    case system(code: Int32)
  }

  /// The cause.
  public let kind: Kind
  /// The address that was to be listened on.
  public let address: SocketAddress
  /// The cause as the end of a sentence.
  public let reason: String

  package init(_ kind: Kind, address: SocketAddress, reason: String) {
    self.kind = kind
    self.address = address
    self.reason = reason
  }

  /// Creates the error of a failed system call.
  init(errno code: Int32, address: SocketAddress) {
    let kind: Kind =
      switch code {
      case EADDRINUSE: .addressInUse
      case EACCES, EPERM: .permissionDenied
      case EADDRNOTAVAIL: .addressUnavailable
      default: .system(code: code)
      }
    self.init(kind, address: address, reason: systemMessage(code))
  }

  /// Address and reason: `127.0.0.1:6400: address already in use`.
  public var description: String { "\(address): \(reason)" }

  /// Returns the whole sentence for an operator.
  ///
  /// - Parameters:
  ///   - listener: The listener's purpose, such as `metrics listener`.
  ///   - flag: The flag that names another address, such as `--web.listen-address`.
  public func message(listener: String, flag: String) -> String {
    let remedy =
      switch kind {
      case .addressInUse: "stop what listens there, or choose another \(flag)"
      case .permissionDenied: "grant the right to listen there, or choose another \(flag)"
      case .notASocket: "remove the file, or choose another \(flag)"
      case .addressUnavailable, .system: "choose another \(flag)"
      }
    return "\(listener) \(address): \(reason); \(remedy)"
  }
}
