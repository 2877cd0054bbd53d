/// An answer of the admin API.
struct AdminResponse: Hashable {
  /// The status code.
  let status: Int
  /// The body: JSON for a success, a sentence for anything else, empty for 204.
  let body: String
}

extension AdminResponse {
  /// Reads all bytes up to the server's end of the connection; nil if they are not one whole response.
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
        // The admin API sends whole bodies without a coding.
        return nil
      default: break
      }
    }
    self.init(status: status, body: String(decoding: body, as: UTF8.self))
  }
}
