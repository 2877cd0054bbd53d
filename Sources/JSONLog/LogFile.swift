internal import Glibc

/// An open destination, confined to the writer thread. Its deinit closes the descriptor if it was opened here.
struct LogFile: ~Copyable {
  private let descriptor: Int32
  private let isOwned: Bool

  /// The process' standard error, which stays open.
  static func standardError() -> LogFile {
    LogFile(descriptor: STDERR_FILENO, isOwned: false)
  }

  private init(descriptor: Int32, isOwned: Bool) {
    self.descriptor = descriptor
    self.isOwned = isOwned
  }

  /// Opens a file for appending, and creates it if it does not exist (mode 0640: logs are for the operators' group).
  init(path: String) throws(JSONLogError) {
    // Non-blocking, so that a named pipe without a reader is an error and does not block the start.
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
    // The path is copied by the kernel before the call returns.
    let descriptor = unsafe open(path, flags, 0o640)
    guard descriptor >= 0 else { throw JSONLogError(operation: .open(path: path), code: errno) }
    // From here on the writer thread may block.
    _ = fcntl(descriptor, F_SETFL, O_APPEND)
    self.init(descriptor: descriptor, isOwned: true)
  }

  deinit {
    if isOwned { close(descriptor) }
  }

  /// Whether the file is empty.
  var isEmpty: Bool {
    var status = stat()
    // The pointer is to a local variable and not kept by the call.
    return unsafe fstat(descriptor, &status) == 0 && status.st_size == 0
  }

  /// Writes bytes, and blocks until that is done.
  ///
  /// - Returns: The number of bytes written before an error: all of them if there was none.
  func write(_ bytes: ArraySlice<UInt8>) -> Int {
    // The buffer is the slice's own storage, and stays where it is during the closure.
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        // done < count, so the pointer is inside the buffer, and the length is that of the rest.
        let count = unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
        if count >= 0 {
          done += count
        } else if errno == EAGAIN {
          // Standard error, which another process may have made non-blocking.
          waitUntilWritable()
        } else if errno != EINTR {
          break
        }
      }
      return done
    }
  }

  private func waitUntilWritable() {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // One entry, a local variable. In any case the next write returns the error.
    _ = unsafe poll(&entry, 1, -1)
  }
}
