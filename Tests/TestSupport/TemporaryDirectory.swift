internal import Foundation

/// A folder of a test's own, removed with everything in it when the object goes.
///
/// Its path is short, because a unix socket's path ends at 107 bytes.
public final class TemporaryDirectory: Sendable {
  /// The folder's absolute path.
  public let path: String

  /// Makes an empty folder that nobody else can read.
  ///
  /// - Parameter parent: Where; `/dev/shm` for files that are written through to the disk, since that may be so busy
  ///   that a test would wait for it in vain.
  /// - Throws: ``TestSupportError`` with code `system`.
  public init(in parent: String = "/tmp") throws {
    var template = Array("\(parent)/ms-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw TestSupportError(.system, "mkdtemp in \(parent): \(lastSystemError())")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    // Nothing to be done about a folder that can't be removed; /tmp is emptied by the system.
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The absolute path of a file in the folder.
  public func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file in the folder, over what was there, and returns its path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    let file = path(name)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// A file's text.
  public func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path(name))), as: UTF8.self)
  }
}

/// What `errno` says, in words.
func lastSystemError() -> String { String(cString: strerror(errno)) }
