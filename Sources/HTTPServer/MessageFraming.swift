/// Refuses requests about whose end two readers could disagree (RFC 9112 section 6.3): what one takes for a body,
/// another takes for the next request. libmicrohttpd looks at the first of several fields, believes `Transfer-Encoding`
/// where there is a length too, and takes a space before the colon for a part of the name (section 5.1 of RFC 9112 has
/// such a request refused).
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
