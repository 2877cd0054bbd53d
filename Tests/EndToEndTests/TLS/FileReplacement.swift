import Foundation
import TestSupport

/// Replaces a file by a copy of another one, at once, as a rotation of certificates does.
func replaceFile(_ path: String, by other: String) throws {
  try FileManager.default.copyItem(atPath: other, toPath: "\(path).new")
  guard rename("\(path).new", path) == 0 else { throw TestSupportError(.system, "rename failed") }
}
