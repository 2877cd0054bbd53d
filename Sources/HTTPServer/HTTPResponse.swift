/// The response of a route's handler.
public struct HTTPResponse: Sendable {
  /// The status code.
  public let status: Int
  /// The header fields, without those that the server adds to every response.
  public var headers: [HTTPField]
  /// The body; the server compresses it if the client accepts that.
  public let body: [UInt8]

  /// Creates a response.
  public init(status: Int, headers: [HTTPField] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// Returns bytes of a media type.
  public static func bytes(_ body: [UInt8], contentType: String, status: Int = 200) -> HTTPResponse {
    HTTPResponse(status: status, headers: [HTTPField("Content-Type", contentType)], body: body)
  }

  /// Returns a sentence of plain text; a line end is added.
  public static func text(_ text: String, status: Int = 200) -> HTTPResponse { .plain(text + "\n", status: status) }

  /// Returns lines of plain text.
  public static func plain(_ lines: String, status: Int = 200) -> HTTPResponse {
    .bytes(Array(lines.utf8), contentType: "text/plain; charset=utf-8", status: status)
  }

  /// Returns a JSON text.
  public static func json(_ text: String, status: Int = 200) -> HTTPResponse {
    .bytes(Array(text.utf8), contentType: "application/json", status: status)
  }

  /// Returns a page of HTML.
  public static func html(_ page: String, status: Int = 200) -> HTTPResponse {
    .bytes(Array(page.utf8), contentType: "text/html; charset=utf-8", status: status)
  }

  /// No content, as the answer to a DELETE.
  public static let noContent = HTTPResponse(status: 204)

  /// Returns the response for a client that does or does not accept gzip; a short body is not compressed.
  func compressed(if acceptsGzip: Bool) -> HTTPResponse {
    guard body.count >= ContentCoding.minimumBytes else { return self }
    let varying = adding("Vary", "Accept-Encoding")
    guard acceptsGzip, let compressed = ContentCoding.gzip(body) else { return varying }
    return HTTPResponse(status: status, headers: varying.headers, body: compressed).adding("Content-Encoding", "gzip")
  }

  /// Returns the response with one more header field.
  public func adding(_ name: String, _ value: String) -> HTTPResponse {
    var copy = self
    copy.headers.append(HTTPField(name, value))
    return copy
  }
}
