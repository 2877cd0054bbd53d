internal import HTTPServer
internal import Sockets

/// Why the admin API of a running sidecar could not be asked, or refused.
public struct AdminAPIError: Error, CustomStringConvertible {
  /// For the person at the terminal.
  public let description: String
  /// True when a sidecar answered, and refused.
  public let wasReached: Bool
}

/// The admin API of a running sidecar, for the command line. Blocks the calling thread.
public struct AdminAPI {
  private static let flag = "--admin.listen-address"
  private let client: AdminClient

  /// - Parameters:
  ///   - address: `HOST:PORT` or `unix:PATH` of the admin API.
  ///   - tokenFile: the file with its bearer token, if it asks for one.
  /// - Throws: ``AdminAPIError`` for an address that is none or a token that can't be read.
  public init(address: String, tokenFile: String?) throws {
    var token: BearerToken?
    if let tokenFile {
      do {
        token = try BearerToken(contentsOfFile: SmallFile.read(tokenFile, limitBytes: BearerToken.maximumBytes).bytes)
      } catch {
        throw AdminAPIError(description: "--admin.token-file: \(tokenFile): \(error)", wasReached: false)
      }
    }
    do {
      client = AdminClient(address: try SocketAddress.parse(address), token: token)
    } catch {
      throw AdminAPIError(description: "\(error)", wasReached: false)
    }
  }

  /// The state of one feature flag, or of all: lines of `name: on` or `name: off`.
  public func features(_ name: String?) throws -> [String] {
    let path = name.map(AdminPath.feature) ?? AdminPath.features
    return try Self.lines(answer { () throws(AdminClientError) in try client.get(path) })
  }

  /// Sets one feature flag and shows what it is now.
  public func setFeature(_ name: String, to isOn: Bool) throws -> [String] {
    let form = [HTTPField("value", isOn ? "true" : "false")]
    return try Self.lines(
      answer { () throws(AdminClientError) in try client.post(AdminPath.feature(name), form: form) }
    )
  }

  /// The commands that clients have sent to one instance, or to all.
  public func inventory(instance: String?, format: ReportFormat) throws -> String {
    try report(AdminPath.inventory, instance, format)
  }

  /// How far one instance is on its way, or all of them, and whether the next step is safe.
  public func status(instance: String?, format: ReportFormat) throws -> String {
    try report(AdminPath.status, instance, format)
  }

  private func report(_ path: String, _ instance: String?, _ format: ReportFormat) throws -> String {
    let path = AdminPath.report(path, instance: instance, format: format)
    return try answer { () throws(AdminClientError) in try client.get(path) }
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

  /// What GitLab's JSON says, a line a flag. The sidecar writes it, so that its order of fields is known.
  private static func lines(_ json: String) -> [String] {
    json.matches(of: /"name":"([^"]*)","state":"([^"]*)"/).map { "\($0.1): \($0.2)" }
  }
}
