internal import Glibc

/// The state of a path at one moment, to notice that a file was written or replaced without reading it.
package struct FileIdentity: Equatable, Sendable {
  private let device: UInt64
  private let inode: UInt64
  private let size: Int64
  private let modified: [Int]

  /// Follows symbolic links, as Kubernetes swaps them; nil if there is no such file.
  package init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int64(status.st_size)
    modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
  }
}

/// The states of all files of some settings.
struct FileIdentities: Equatable {
  /// The most files of a folder that are watched.
  private static let longestFolder = 1_000

  private var identities: [String: FileIdentity] = [:]

  init(files: [String], folder: String?) {
    for path in files { identities[path] = FileIdentity(of: path) }
    guard let folder else { return }
    identities[folder] = FileIdentity(of: folder)
    for name in Self.names(in: folder) {
      let path = "\(folder)/\(name)"
      identities[path] = FileIdentity(of: path)
    }
  }

  private static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while names.count < longestFolder, let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: entry.pointee.d_name)) {
          String(cString: $0)
        }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
