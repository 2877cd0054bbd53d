internal import MetricsServer

/// Why a flag of a running sidecar could not be shown or set.
public struct FeatureClientError: Error, CustomStringConvertible {
  /// For the person at the terminal.
  public let description: String
  /// True when a sidecar answered, and refused.
  public let wasReached: Bool
}

/// The flags of a running sidecar, through its admin API. Blocks the calling thread.
public struct FeatureClient {
  private static let flag = "--admin.listen-address"
  private let client: AdminClient

  /// - Parameters:
  ///   - address: `HOST:PORT` or `unix:PATH` of the admin API.
  ///   - tokenFile: the file with its bearer token, if it asks for one.
  /// - Throws: ``FeatureClientError`` for an address that is none or a token that can't be read.
  public init(address: String, tokenFile: String?) throws {
    do {
      let token = try tokenFile.map { path in
        try BearerToken(contentsOfFile: SmallFile.read(path, limitBytes: BearerToken.maximumBytes).bytes)
      }
      client = AdminClient(address: try HTTPListenAddress.parse(address), token: token)
    } catch {
      throw FeatureClientError(description: "\(error)", wasReached: false)
    }
  }

  /// The state of one flag, or of all: lines of `name: on` or `name: off`.
  public func get(_ name: String?) throws -> [String] {
    let path = name.map(FeatureRoutes.path) ?? FeatureRoutes.listPath
    return try Self.lines(answer { () throws(AdminClientError) in try client.get(path) })
  }

  /// Sets one flag and shows what it is now.
  public func set(_ name: String, to isOn: Bool) throws -> [String] {
    let form = [HTTPField("value", isOn ? "true" : "false")]
    return try Self.lines(
      answer { () throws(AdminClientError) in try client.post(FeatureRoutes.path(ofFeature: name), form: form) }
    )
  }

  private func answer(_ ask: () throws(AdminClientError) -> AdminResponse) throws -> String {
    let response: AdminResponse
    do {
      response = try ask()
    } catch {
      throw FeatureClientError(description: error.message(flag: Self.flag), wasReached: false)
    }
    guard (200..<300).contains(response.status) else {
      throw FeatureClientError(description: response.body, wasReached: true)
    }
    return response.body
  }

  /// What GitLab's JSON says, a line a flag. The sidecar writes it, so that its order of fields is known.
  private static func lines(_ json: String) -> [String] {
    json.matches(of: /"name":"([^"]*)","state":"([^"]*)"/).map { "\($0.1): \($0.2)" }
  }
}
