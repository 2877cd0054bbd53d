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
    guard case .success(let bytes) = FileContents.read(path),
      var text = String(validating: bytes, as: UTF8.self)
    else { return latest.withLock { $0 } }
    if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
    return latest.withLock { latest in
      if !text.isEmpty { latest = text }
      return latest
    }
  }
}

extension LoginFile: Equatable {
  /// Whether both have the same path.
  public static func == (one: LoginFile, other: LoginFile) -> Bool { one.path == other.path }
}
