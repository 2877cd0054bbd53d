internal import RESP

/// The attributes that a client has set for itself: the part of a session that CLIENT LIST shows.
struct ClientAttributes {
  /// The length of the longest name that is accepted. A server has no limit, but a name of megabytes is a mistake.
  static let longestName = 1024

  /// The name set by CLIENT SETNAME; empty for none.
  private(set) var name = ""
  /// The user that the client has logged in as.
  var user = Credentials.defaultUser
  private(set) var libraryName = ""
  private(set) var libraryVersion = ""
  /// Whether CLIENT NO-EVICT is on. The sidecar evicts no clients in any case.
  var isSparedFromEviction = false
  /// Whether CLIENT NO-TOUCH is on. Keys are touched all the same: the stores' connections are shared by many clients.
  var asksForNoTouch = false

  /// Executes CLIENT SETNAME.
  ///
  /// - Returns: the error if the name is not accepted.
  mutating func setName(_ bytes: Span<UInt8>) -> String? {
    guard let word = Self.word(bytes) else {
      return bytes.count > Self.longestName
        ? "ERR MultiStore: a client's name can have \(Self.longestName) bytes"
        : "ERR Client names cannot contain spaces, newlines or special characters."
    }
    name = word
    return nil
  }

  /// Executes CLIENT SETINFO.
  ///
  /// - Returns: the error if the attribute or its value is not accepted.
  mutating func setInfo(_ attribute: Span<UInt8>, _ value: Span<UInt8>) -> String? {
    let isName = attribute.isKeyword("LIB-NAME")
    guard isName || attribute.isKeyword("LIB-VER") else {
      return "ERR Unrecognized option '\(ServerWords.shown(attribute))'"
    }
    guard let word = Self.word(value) else {
      return "ERR \(isName ? "lib-name" : "lib-ver") cannot contain spaces, newlines or special characters."
    }
    if isName { libraryName = word } else { libraryVersion = word }
    return nil
  }

  /// Resets the attributes as RESET does; the library's name and version stay true.
  mutating func reset() {
    name = ""
    user = Credentials.defaultUser
    isSparedFromEviction = false
    asksForNoTouch = false
  }

  /// Returns the bytes as one printable word, which may be empty, or nil if they are not one.
  private static func word(_ bytes: Span<UInt8>) -> String? {
    guard bytes.count <= longestName else { return nil }
    for index in bytes.indices where bytes[index] < 0x21 || bytes[index] > 0x7e { return nil }
    return String(decoding: bytes.array, as: UTF8.self)
  }
}
