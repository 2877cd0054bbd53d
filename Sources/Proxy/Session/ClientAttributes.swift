internal import RESP

/// What a client has said about itself: the part of a session that CLIENT LIST shows.
struct ClientAttributes {
  /// The longest name that is kept. A server has no limit of its own, but a name of megabytes is somebody's mistake.
  static let longestName = 1024

  /// What CLIENT SETNAME set; empty for none.
  private(set) var name = ""
  /// Whom the client has logged in as.
  var user = Credentials.defaultUser
  private(set) var libraryName = ""
  private(set) var libraryVersion = ""
  /// What CLIENT NO-EVICT said. The sidecar evicts nobody in any case.
  var isSparedFromEviction = false
  /// What CLIENT NO-TOUCH said. Keys are touched all the same: the stores' connections are shared by many clients.
  var asksForNoTouch = false

  /// CLIENT SETNAME.
  ///
  /// - Returns: the error when the name is not taken.
  mutating func setName(_ bytes: Span<UInt8>) -> String? {
    guard let word = Self.word(bytes) else {
      return bytes.count > Self.longestName
        ? "ERR MultiStore: a client's name can have \(Self.longestName) bytes"
        : "ERR Client names cannot contain spaces, newlines or special characters."
    }
    name = word
    return nil
  }

  /// CLIENT SETINFO.
  ///
  /// - Returns: the error when it is not taken.
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

  /// What RESET takes back; what the library said about itself stays true.
  mutating func reset() {
    name = ""
    user = Credentials.defaultUser
    isSparedFromEviction = false
    asksForNoTouch = false
  }

  /// The bytes as one printable word, which may be empty.
  private static func word(_ bytes: Span<UInt8>) -> String? {
    guard bytes.count <= longestName else { return nil }
    for index in bytes.indices where bytes[index] < 0x21 || bytes[index] > 0x7e { return nil }
    return String(decoding: bytes.array, as: UTF8.self)
  }
}
