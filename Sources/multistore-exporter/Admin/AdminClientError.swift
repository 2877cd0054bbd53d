internal import Sockets

/// A failed request to the admin API.
struct AdminClientError: Error, Hashable, CustomStringConvertible {
  /// The causes.
  enum Kind: Hashable {
    /// Nothing listens at the address, or connecting is not permitted.
    case unreachable
    /// The connection broke.
    case interrupted
    /// The answer did not come in time; a change may have been made or not.
    case timedOut
    /// The answer is not the admin API's.
    case notTheAdminAPI
  }

  /// The cause.
  let kind: Kind
  /// The address of the request.
  let address: SocketAddress
  /// The details, as part of a sentence.
  let reason: String

  /// The whole sentence without a hint at the command line.
  var description: String {
    switch kind {
    case .unreachable: "no sidecar can be reached at \(address): \(reason)"
    case .interrupted: "the sidecar at \(address) broke off the connection: \(reason)"
    case .timedOut: "the sidecar at \(address) did not answer in time: \(reason)"
    case .notTheAdminAPI: "what listens on \(address) is not the admin API: \(reason)"
    }
  }

  /// Returns the whole sentence with a hint for the operator.
  ///
  /// - Parameter flag: The flag that names another address, such as `--admin.listen-address`.
  func message(flag: String) -> String {
    switch kind {
    case .unreachable: "\(description); start it, or name its address with \(flag)"
    case .interrupted, .timedOut: "\(description); look at the flags before you try again"
    case .notTheAdminAPI: "\(description); name its address with \(flag)"
    }
  }
}
