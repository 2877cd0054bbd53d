/// A listener that could not be started.
public struct HTTPServerError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What stood in the way, for programs.
  public enum Kind: Sendable, Hashable {
    /// Another process listens on the address.
    case addressInUse
    /// This process may not listen there: a port below 1024, or a folder it cannot write to.
    case permissionDenied
    /// The host name does not resolve, or its address is not one of this machine's.
    case addressUnavailable
    /// A file that is not a socket is where the unix socket should be.
    case notASocket
    /// Any other refusal of the operating system, with its error number.
    case system(code: Int32)
  }

  /// What stood in the way.
  public let kind: Kind
  /// The address that was asked for.
  public let address: HTTPListenAddress
  /// What went wrong, as the end of a sentence.
  public let reason: String

  /// The whole sentence without a hint at the command line.
  public var description: String { "HTTP listener \(address): \(reason)" }

  /// The whole sentence for an operator.
  ///
  /// - Parameters:
  ///   - listener: What the listener is for, such as `metrics listener`.
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
