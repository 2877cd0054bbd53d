import Foundation

/// Sets the permission bits of a file.
func setMode(_ mode: mode_t, of path: String) throws {
  guard chmod(path, mode) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
}

/// The permission bits of a file.
func mode(of path: String) throws -> mode_t {
  var status = stat()
  guard stat(path, &status) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
  return status.st_mode & 0o7777
}
