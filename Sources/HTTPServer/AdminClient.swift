public import Sockets

/// What the admin API answered.
public struct AdminResponse: Sendable, Hashable {
  /// The status code.
  public let status: Int
  /// The body: JSON for a success, a sentence for anything else, empty for 204.
  public let body: String
}

/// A client of the admin API for the command line: one request at a time, blocking the calling thread, over a
/// connection of its own.
public struct AdminClient: Sendable {
  private let address: SocketAddress
  private let token: BearerToken?
  private let timeout: Duration

  /// A client.
  ///
  /// - Parameters:
  ///   - address: Where the admin API listens; for one that listens on every interface, loopback is asked.
  ///   - token: The token that the API asks for, if it does.
  ///   - timeout: How long one request may take from connecting to the last byte.
  public init(address: SocketAddress, token: BearerToken? = nil, timeout: Duration = .seconds(10)) {
    self.address = address
    self.token = token
    self.timeout = timeout
  }

  /// Reads what is at a path, which has to be percent-encoded already.
  public func get(_ path: String) throws(AdminClientError) -> AdminResponse {
    try send("GET", path, body: nil)
  }

  /// Sends a form to a path, which has to be percent-encoded already.
  public func post(_ path: String, form: [HTTPField]) throws(AdminClientError) -> AdminResponse {
    let pairs = form.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
    return try send("POST", path, body: pairs.joined(separator: "&"))
  }

  /// Takes away what is at a path, which has to be percent-encoded already.
  public func delete(_ path: String) throws(AdminClientError) -> AdminResponse {
    try send("DELETE", path, body: nil)
  }

  private func send(_ method: String, _ path: String, body: String?) throws(AdminClientError) -> AdminResponse {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)", "Accept-Encoding: identity", "Connection: close"]
    if let token { lines.append("Authorization: \(token.headerValue)") }
    if let body {
      lines.append("Content-Type: application/x-www-form-urlencoded")
      lines.append("Content-Length: \(body.utf8.count)")
    }
    let request = lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    let connection = try AdminConnection(to: address, timeout: timeout)
    try connection.write(Array(request.utf8))
    let bytes = try connection.readToEnd()
    guard let response = AdminResponse(parsing: bytes) else {
      throw AdminClientError(kind: .notTheAdminAPI, address: address, reason: "the answer is not a whole HTTP response")
    }
    return response
  }

  private var host: String {
    switch address {
    case .unix: "localhost"
    case .tcp(let host, let port):
      // The server trusts its own address and localhost; "every interface" is neither.
      ["", "0.0.0.0", "::"].contains(host) ? "localhost:\(port)" : address.description
    }
  }
}

extension AdminResponse {
  /// Reads a whole response of a server that was asked to close the connection; nil when it is none, or is cut off.
  init?(parsing bytes: [UInt8]) {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
    let body = bytes[end.upperBound...]
    let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
    let words = lines[0].split(separator: " ", maxSplits: 2)
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1]) else {
      return nil
    }
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      let value = parts[1].filter { $0 != " " && $0 != "\t" }
      switch parts[0].lowercased() {
      case "content-length":
        guard Int(value) == body.count else { return nil }
      case "transfer-encoding", "content-encoding":
        // The admin API sends whole bodies as they are; whoever sends another coding is something else.
        return nil
      default: break
      }
    }
    self.init(status: status, body: String(decoding: body, as: UTF8.self))
  }
}

/// An admin API that could not be asked.
public struct AdminClientError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What went wrong, for programs.
  public enum Kind: Sendable, Hashable {
    /// Nothing listens at the address, or it may not be connected to.
    case unreachable
    /// The connection broke off.
    case interrupted
    /// The answer did not come in time; whether a change was made is not known.
    case timedOut
    /// What answered is not the admin API.
    case notTheAdminAPI
  }

  /// What went wrong.
  public let kind: Kind
  /// Where it was looked for.
  public let address: SocketAddress
  /// The cause, as part of a sentence.
  public let reason: String

  /// The whole sentence without a hint at the command line.
  public var description: String {
    switch kind {
    case .unreachable: "no sidecar can be reached at \(address): \(reason)"
    case .interrupted: "the sidecar at \(address) broke off the connection: \(reason)"
    case .timedOut: "the sidecar at \(address) did not answer in time: \(reason)"
    case .notTheAdminAPI: "what listens on \(address) is not the admin API: \(reason)"
    }
  }

  /// The whole sentence for an operator.
  ///
  /// - Parameter flag: The flag that names another address, such as `--admin.listen-address`.
  public func message(flag: String) -> String {
    switch kind {
    case .unreachable: "\(description); start it, or name its address with \(flag)"
    case .interrupted, .timedOut: "\(description); look at the flags before you try again"
    case .notTheAdminAPI: "\(description); name its address with \(flag)"
    }
  }
}
