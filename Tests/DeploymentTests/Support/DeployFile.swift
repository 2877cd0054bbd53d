import Foundation
import TestSupport
import Yams

/// The files that operators take from the repository, by their paths from its top.
enum DeployFile {
  /// The repository's top folder.
  static let top = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The absolute path of a file.
  static func path(_ name: String) -> String { top.appendingPathComponent(name).path }

  /// A file's text.
  static func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

  /// The YAML documents of a file.
  static func yaml(_ name: String) throws -> [Node] { try Array(compose_all(yaml: text(name))) }

  /// The names of the files right in a folder, sorted.
  static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
  }
}

extension Node {
  /// A member of a member …; nil if one of them is missing.
  subscript(path keys: String...) -> Node? {
    keys.reduce(Node?.some(self)) { node, key in node?[key] }
  }

  /// The elements of a sequence; none for anything else.
  var elements: [Node] { sequence.map(Array.init) ?? [] }
}

extension String {
  /// The text with each of some parts replaced.
  ///
  /// - Throws: ``TestSupportError`` with code `missing` for a part that is not there.
  func replacing(all replacements: KeyValuePairs<String, String>) throws -> String {
    try replacements.reduce(self) { text, replacement in
      guard text.contains(replacement.key) else {
        throw TestSupportError(.missing, "no \(replacement.key) in:\n\(text)")
      }
      return text.replacing(replacement.key, with: replacement.value)
    }
  }
}
