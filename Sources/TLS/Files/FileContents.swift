internal import Glibc

/// Reads small files.
package enum FileContents {
  /// The limit on a file, in bytes: a bundle of all public authorities has a quarter of a MiB.
  private static let limitBytes = 4 << 20

  /// Returns a whole file, or the reason why it can't be read.
  package static func read(_ path: String) -> Result<[UInt8], Failure> {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(Failure(errno: errno)) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count <= limitBytes {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return .failure(Failure(errno: errno)) }
      guard count > 0 else { return .success(bytes) }
      bytes += chunk[..<count]
    }
    return .failure(Failure(errno: EFBIG))
  }

  /// A failed system call on a file.
  package struct Failure: Error {
    package let errno: Int32

    /// The C library's words.
    package var words: String { String(cString: strerror(errno)) }
  }
}
