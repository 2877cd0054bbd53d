internal import TLS

/// The name and the password of an `Authorization: Basic …` header (RFC 7617 section 2).
struct BasicCredentials: Sendable, Equatable {
  let name: String
  let password: String

  /// Reads the header; nil for another scheme, and for all but base 64 (RFC 4648 section 4) of UTF-8 text with a colon.
  init?(header: String) {
    let words = header.split(separator: " ")
    guard words.count == 2, words[0].lowercased() == "basic", let bytes = Base64.decode(words[1]),
      let text = String(validating: bytes, as: UTF8.self), let colon = text.firstIndex(of: ":")
    else { return nil }
    name = String(text[..<colon])
    password = String(text[text.index(after: colon)...])
  }
}
