internal import HTTPServer
internal import Sidecar
internal import TLS

/// A request that the admin API refused, or that did not reach it.
struct AdminAPIError: Error, CustomStringConvertible {
  /// The sentence for the terminal.
  let description: String
  /// Whether a sidecar answered, and refused.
  let wasReached: Bool
}

/// The requests of the command line to the admin API of a running sidecar. They block the calling thread.
struct AdminAPI {
  private static let flag = "--admin.listen-address"
  private let client: AdminClient

  /// - Parameters:
  ///   - address: The address of the admin API.
  ///   - tokenFile: The file with its bearer token, if it requires one.
  ///   - tls: The settings of TLS; nil for plain HTTP.
  /// - Throws: ``AdminAPIError`` for a token that can't be read.
  init(address: AdminAddress, tokenFile: String?, tls: TLSClientSettings?) throws(AdminAPIError) {
    var token: BearerToken?
    if let tokenFile {
      do {
        token = try BearerToken(contentsOfFile: SmallFile.read(tokenFile, limitBytes: BearerToken.maximumBytes).bytes)
      } catch {
        throw AdminAPIError(description: "--admin.token-file: \(tokenFile): \(error)", wasReached: false)
      }
    }
    client = AdminClient(address: address.socket, token: token, tls: tls)
  }

  /// Returns the state of one feature flag, or of all: lines of `name: on` or `name: off`.
  func features(_ name: String?) throws -> [String] {
    let path = name.map(AdminPath.feature) ?? AdminPath.features
    return try Self.lines(answer { () throws(AdminClientError) in try client.get(path) })
  }

  /// Sets one feature flag and returns its new state.
  ///
  /// - Parameter isForced: Whether the default store may move to one with outdated keys.
  func setFeature(_ name: String, to isOn: Bool, isForced: Bool) throws -> [String] {
    let form = [HTTPField("value", isOn ? "true" : "false")] + (isForced ? [HTTPField("force", "true")] : [])
    return try Self.lines(
      answer { () throws(AdminClientError) in try client.post(AdminPath.feature(name), form: form) }
    )
  }

  /// Posts an operator's statement, and returns the result as a sentence.
  ///
  /// - Parameters:
  ///   - path: ``AdminPath/trust`` or ``AdminPath/acceptedStaleKeys``.
  ///   - fields: The names and values of its fields.
  func state(_ path: String, _ fields: KeyValuePairs<String, String>) throws -> String {
    let form = fields.map { HTTPField($0.key, $0.value) } + [HTTPField("format", ReportFormat.table.rawValue)]
    return try answer { () throws(AdminClientError) in try client.post(path, form: form) }
  }

  /// Starts or changes a job.
  ///
  /// - Parameters:
  ///   - path: ``AdminPath/jobs`` or a path of ``AdminPath/jobChange(_:)``.
  ///   - fields: The names and values of its fields.
  func changeJob(_ path: String, _ fields: [(name: String, value: String)]) throws {
    let form = fields.map { HTTPField($0.name, $0.value) }
    _ = try answer { () throws(AdminClientError) in try client.post(path, form: form) }
  }

  /// Returns the report at a path with its query.
  func report(_ path: String) throws -> String {
    try answer { () throws(AdminClientError) in try client.get(path) }
  }

  private func answer(_ ask: () throws(AdminClientError) -> AdminResponse) throws -> String {
    let response: AdminResponse
    do {
      response = try ask()
    } catch {
      throw AdminAPIError(description: error.message(flag: Self.flag), wasReached: false)
    }
    guard (200..<300).contains(response.status) else {
      throw AdminAPIError(description: response.body, wasReached: true)
    }
    return response.body
  }

  /// Returns a line for each flag of GitLab's JSON. The sidecar writes it, so the order of its fields is known.
  private static func lines(_ json: String) -> [String] {
    json.matches(of: /"name":"([^"]*)","state":"([^"]*)"/).map { "\($0.1): \($0.2)" }
  }
}
