/// Refuses requests whose end two readers could see at different places (RFC 9112 section 6.3), so that the body for
/// one is the next request for the other. libmicrohttpd reads the first of several fields, prefers `Transfer-Encoding`
/// to a length, and takes a space before the colon for a part of the name (RFC 9112 section 5.1 demands a refusal).
enum MessageFraming {
  /// Returns the problem with the header fields; nil for none.
  static func problem(in headers: [HTTPField]) -> String? {
    if headers.contains(where: { $0.name.last?.isWhitespace == true }) {
      return "No space stands between a field's name and its colon."
    }
    let lengths = values(of: "content-length", in: headers)
    let codings = values(of: "transfer-encoding", in: headers)
    if !lengths.isEmpty, !codings.isEmpty {
      return "A request has a Content-Length or a Transfer-Encoding, and not both."
    }
    if lengths.count > 1 { return "A request has one Content-Length." }
    guard !codings.isEmpty, codings != ["chunked"] else { return nil }
    return "The only Transfer-Encoding of a request is chunked."
  }

  private static func values(of name: String, in headers: [HTTPField]) -> [String] {
    headers.filter { $0.name.lowercased() == name }.map { $0.value.lowercased() }
  }
}
