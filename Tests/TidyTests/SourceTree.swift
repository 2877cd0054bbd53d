import Foundation

/// The repository's own files, as the tidiness tests look at them.
enum SourceTree {
  /// The repository's top folder.
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// All Swift files below `Sources` and `Tests`, in the order of their paths.
  static let swiftFiles: [SourceFile] = paths(below: ["Sources", "Tests"])
    .filter { $0.hasSuffix(".swift") }
    .map(SourceFile.init)

  /// The Swift files below `Sources` alone.
  static var librarySources: [SourceFile] { swiftFiles.filter { $0.path.hasPrefix("Sources/") } }

  /// All shell scripts: files named `.sh`, and those below `.ci` and `deploy` that begin as bash scripts do.
  static let scripts: [SourceFile] = paths(below: ["Tests", "deploy", ".ci"])
    .filter { $0.hasSuffix(".sh") || !$0.hasPrefix("Tests/") }
    .map(SourceFile.init)
    .filter { $0.path.hasSuffix(".sh") || $0.text.hasPrefix("#!/usr/bin/env bash\n") }

  /// Paths of the regular files below folders, relative to the top, sorted.
  static func paths(below folders: [String]) -> [String] {
    folders.flatMap { folder in
      (FileManager.default.subpaths(atPath: root.appendingPathComponent(folder).path) ?? []).map { "\(folder)/\($0)" }
    }
    .filter { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: url(path).path, isDirectory: &isFolder) && !isFolder.boolValue
    }
    .sorted()
  }

  /// A path relative to the top as a URL.
  static func url(_ path: String) -> URL { root.appendingPathComponent(path) }
}

/// One text file, whole and without comments and strings.
struct SourceFile: Sendable {
  /// Relative to the repository's top.
  let path: String
  /// All of it.
  let text: String
  /// Its lines without their ends.
  let lines: [Substring]
  /// All of it without comments, and without what is inside strings and regular expressions.
  let code: String
  /// Its lines without comments, and without what is inside strings and regular expressions.
  let codeLines: [Substring]

  init(_ path: String) {
    self.path = path
    // Whatever isn't UTF-8 is no source; it is judged as an empty file.
    text = (try? String(contentsOf: SourceTree.url(path), encoding: .utf8)) ?? ""
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    code = CodeScanner(text).code
    codeLines = code.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The target it belongs to: the folder below `Sources` or `Tests`.
  var target: String { path.split(separator: "/")[1].description }
}
