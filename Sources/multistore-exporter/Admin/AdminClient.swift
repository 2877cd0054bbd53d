internal import HTTPServer
internal import Sidecar
internal import Sockets
internal import TLS

/// An HTTP client of the admin API. Each request has a connection of its own and blocks the calling thread.
///
/// It is written by hand: it has to speak over unix sockets, which Foundation's client cannot, and Foundation costs
/// more memory than the sidecar, which is the same executable, may use.
struct AdminClient {
  private let address: AdminAddress
  private let token: BearerToken?
  private let tls: TLSClientSettings?
  private let timeout: Duration

  /// Creates a client.
  ///
  /// - Parameters:
  ///   - address: The address that the admin API listens on; loopback if that is every interface.
  ///   - token: The API's bearer token, if it needs one.
  ///   - tls: The settings of TLS; nil for plain HTTP.
  ///   - timeout: The time that a request may take from connecting to the last byte.
  init(
    address: SocketAddress,
    token: BearerToken? = nil,
    tls: TLSClientSettings? = nil,
    timeout: Duration = .seconds(10)
  ) {
    self.address = AdminAddress(address, usesTLS: tls != nil)
    self.token = token
    self.tls = tls
    self.timeout = timeout
  }

  /// Requests a path, which has to be percent-encoded already.
  func get(_ path: String) throws(AdminClientError) -> AdminResponse {
    try send("GET", path, body: nil)
  }

  /// Sends a form to a path, which has to be percent-encoded already.
  func post(_ path: String, form: [HTTPField]) throws(AdminClientError) -> AdminResponse {
    let pairs = form.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
    return try send("POST", path, body: pairs.joined(separator: "&"))
  }

  private func send(_ method: String, _ path: String, body: String?) throws(AdminClientError) -> AdminResponse {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)", "Accept-Encoding: identity", "Connection: close"]
    if let token { lines.append("Authorization: \(token.headerValue)") }
    if let body {
      lines.append("Content-Type: application/x-www-form-urlencoded")
      lines.append("Content-Length: \(body.utf8.count)")
    }
    let request = lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    let bytes = try exchange(Array(request.utf8))
    guard !bytes.isEmpty else {
      throw AdminClientError(kind: .unanswered, address: address, reason: "the connection has ended")
    }
    guard let response = AdminResponse(parsing: bytes) else {
      throw AdminClientError(kind: .notTheAdminAPI, address: address, reason: "the answer is not a whole HTTP response")
    }
    return response
  }

  private func exchange(_ request: [UInt8]) throws(AdminClientError) -> [UInt8] {
    let connection = try AdminConnection(to: address, timeout: timeout)
    guard let tls, let host = address.clientHost else { return try connection.exchange(request) }
    let secure = try AdminTLS(connection, to: host, tls)
    try secure.begin()
    return try secure.exchange(request)
  }

  /// The host for the request. The server trusts its own address and localhost; "every interface" is neither.
  private var host: String {
    guard let host = address.clientHost, case .tcp(_, let port) = address.socket else { return "localhost" }
    return "\(SocketAddress.tcp(host: host, port: port))"
  }
}
