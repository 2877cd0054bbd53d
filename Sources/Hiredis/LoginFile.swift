internal import Synchronization
internal import TLS

/// A file that has the password or the user name of a store in one line, and is read for each connection: it may be
/// replaced meanwhile, as by a rotation of secrets.
public final class LoginFile: Sendable {
  /// The path of the file.
  public let path: String
  /// The text that was read last.
  private let latest: Mutex<String>

  /// Makes a file whose text is known already.
  public init(_ path: String, text: String) {
    self.path = path
    latest = Mutex(text)
  }

  /// Returns the text that the file has now, or had before if it cannot be read or is empty: it may be just about to be
  /// replaced.
  func read() -> String {
    guard case .success(let bytes) = FileContents.read(path), let text = String(secret: bytes) else {
      return latest.withLock { $0 }
    }
    return latest.withLock { latest in
      if !text.isEmpty { latest = text }
      return latest
    }
  }

  /// The file as it is now; nil if there is none.
  var identity: FileIdentity? { FileIdentity(of: path) }
}

/// The files of a login as they were at one moment.
struct LoginFileIdentities: Equatable {
  let username: FileIdentity?
  let password: FileIdentity?
}

extension LoginFile: Equatable {
  /// Whether both have the same path.
  public static func == (one: LoginFile, other: LoginFile) -> Bool { one.path == other.path }
}

extension String {
  /// Makes the text of a secret, which a line end may follow; nil for bytes that are not UTF-8.
  init?(secret bytes: [UInt8]) {
    self.init(validating: bytes, as: UTF8.self)
    if hasSuffix("\r\n") || hasSuffix("\n") { removeLast() }
  }
}
