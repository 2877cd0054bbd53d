internal import Sidecar
internal import TLS

/// A failed request to the admin API.
struct AdminClientError: Error, Hashable, CustomStringConvertible {
  /// The causes.
  enum Kind: Hashable {
    /// Nothing listens at the address, or connecting is not permitted.
    case unreachable
    /// There is no secure connection.
    case insecure
    /// The server has closed the connection instead of answering, as one with TLS does to a client without.
    case unanswered
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
  let address: AdminAddress
  /// The details, as part of a sentence.
  let reason: String

  /// The whole sentence without a hint at the command line.
  var description: String {
    switch kind {
    case .unreachable: "no sidecar can be reached at \(address): \(reason)"
    case .insecure: "there is no secure connection to \(address): \(reason)"
    case .unanswered: "the sidecar at \(address) has closed the connection without an answer: \(reason)"
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
    case .insecure: description
    case .unanswered where !address.usesTLS && address.clientHost != nil:
      "\(description); if it has admin.tls, write https://\(address), or else look at the flags before you try again"
    case .interrupted, .timedOut, .unanswered: "\(description); look at the flags before you try again"
    case .notTheAdminAPI: "\(description); name its address with \(flag)"
    }
  }
}

extension AdminClientError {
  /// The failure of TLS, with the option that may solve it.
  init(_ failure: TLSFailure, address: AdminAddress) {
    let option =
      switch failure.remedy {
      case .authorities: "; name its file with --admin.ca-file"
      case .serverName: "; if that is the sidecar, give its name with --admin.server-name"
      case .certificate: "; name yours with --admin.cert-file and --admin.key-file"
      case nil: ""
      }
    self.init(kind: .insecure, address: address, reason: failure.problem + option)
  }
}
