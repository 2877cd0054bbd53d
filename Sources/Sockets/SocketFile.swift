internal import Glibc

/// The file of a unix socket that this process has bound.
package struct SocketFile: Sendable, Equatable {
  private let path: String
  private let device: UInt64
  private let inode: UInt64

  /// Identifies the socket at `path`; nil if there is none, or a file of another type.
  init?(at path: String) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
    self.path = path
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }

  /// Removes the file, unless another process has put its own in its place since.
  package func remove() {
    if SocketFile(at: path) == self { unlink(path) }
  }
}
