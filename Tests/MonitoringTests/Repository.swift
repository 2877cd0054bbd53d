import Foundation

/// The files of the repository that this target tests.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let prometheus = root.appendingPathComponent("deploy/prometheus")
  static let dashboards = root.appendingPathComponent("dashboards")

  /// The text of a file in `deploy/prometheus`.
  static func prometheusFile(_ name: String) throws -> String {
    try String(contentsOf: prometheus.appendingPathComponent(name), encoding: .utf8)
  }

  /// The paths of the files in a folder whose names end so, sorted.
  static func files(in folder: URL, ending: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(ending) }.sorted().map { folder.appendingPathComponent($0).path }
  }
}
