internal import Foundation

/// An HTTP response.
public struct HTTPResponse: Sendable {
  /// The status code.
  public let status: Int
  /// The header fields by lower-case name; fields that come twice are joined by a comma.
  public let headers: [String: String]
  /// The body's bytes, out of their chunks but still compressed if they were.
  public let body: [UInt8]

  /// The body as text.
  public var text: String { String(decoding: body, as: UTF8.self) }
}

/// Sends one HTTP/1.1 request a connection, over TCP or a unix socket.
public enum HTTPClient {
  /// Sends a request and waits for its response.
  ///
  /// - Parameters:
  ///   - form: Sent as the body in `application/x-www-form-urlencoded`, if not empty.
  ///   - body: Sent as the body, if there is no form.
  /// - Throws: ``TestSupportError``.
  public static func request(
    _ method: String = "GET",
    _ path: String,
    of address: SocketAddress,
    headers: [String: String] = [:],
    form: KeyValuePairs<String, String> = [:],
    body: [UInt8] = [],
    within limit: Duration = waitLimit
  ) throws -> HTTPResponse {
    var fields = ["Host": "localhost", "Connection": "close"]
    var body = body
    if !form.isEmpty {
      body = Array(form.map { "\(encoded($0.key))=\(encoded($0.value))" }.joined(separator: "&").utf8)
      fields["Content-Type"] = "application/x-www-form-urlencoded"
    }
    if !body.isEmpty || method == "POST" { fields["Content-Length"] = String(body.count) }
    fields.merge(headers) { $1 }
    let head = fields.map { "\($0.key): \($0.value)\r\n" }.joined()
    let socket = try Socket(connectingTo: address)
    try socket.write(Array("\(method) \(path) HTTP/1.1\r\n\(head)\r\n".utf8) + body, within: limit)
    return try parse(socket.readToEnd(within: limit), isHead: method == "HEAD")
  }

  private static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
  }

  private static func parse(_ bytes: [UInt8], isHead: Bool) throws -> HTTPResponse {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
      throw TestSupportError(.malformed, "an HTTP response without a head: \(String(decoding: bytes, as: UTF8.self))")
    }
    let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
      throw TestSupportError(.malformed, "not a status line: \(lines[0])")
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { throw TestSupportError(.malformed, "not a header: \(line)") }
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      headers[line[..<colon].lowercased(), default: ""] +=
        headers[line[..<colon].lowercased()] == nil ? value : ", \(value)"
    }
    var body = Array(bytes[end.upperBound...])
    if headers["transfer-encoding"]?.lowercased() == "chunked" {
      body = try unchunked(body)
    } else if let length = headers["content-length"].flatMap({ Int($0) }), !isHead, length != body.count {
      throw TestSupportError(.malformed, "\(body.count) bytes of body where Content-Length says \(length)")
    }
    return HTTPResponse(status: status, headers: headers, body: body)
  }

  private static func unchunked(_ bytes: [UInt8]) throws -> [UInt8] {
    var body: [UInt8] = []
    var rest = bytes[...]
    while let lineEnd = rest.firstRange(of: Array("\r\n".utf8)) {
      let size = String(decoding: rest[..<lineEnd.lowerBound], as: UTF8.self).split(separator: ";").first
      guard let count = size.flatMap({ Int($0, radix: 16) }) else { break }
      if count == 0 { return body }
      guard rest.endIndex - lineEnd.upperBound >= count + 2 else { break }
      body += rest[lineEnd.upperBound..<lineEnd.upperBound + count]
      rest = rest[(lineEnd.upperBound + count + 2)...]
    }
    throw TestSupportError(.malformed, "a chunked body without its last chunk")
  }
}
