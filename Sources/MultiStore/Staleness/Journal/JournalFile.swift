internal import Glibc
internal import Threads

/// An open file of a journal, locked against other processes. Confined to one thread at a time. Its deinit closes it,
/// which ends the lock.
final class JournalFile {
  /// The permissions of a new file: keys are often secrets.
  private static let mode: mode_t = 0o600
  private static let chunkBytes = 64 << 10

  private var path: String
  private let descriptor: Int32
  /// The size of the file in bytes.
  private(set) var bytes = 0

  /// Opens and locks a file.
  ///
  /// - Parameter flags: those of open(2) for this use, such as `O_RDWR | O_CREAT`.
  init(_ path: String, flags: Int32) throws(JournalFailure) {
    self.path = path
    // A link or a pipe that another user has put there is neither followed nor waited for. The path is copied by the
    // kernel before the call returns.
    descriptor = unsafe open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, Self.mode)
    guard descriptor >= 0 else { throw JournalFailure(.open, path, .last) }
    // Other processes that use the folder are refused, and the kernel ends the lock with the process.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw JournalFailure(.lock, path, .last) }
    bytes = Int(status?.st_size ?? 0)
  }

  deinit {
    guard descriptor >= 0 else { return }
    // A process that is just being started has a copy of the descriptor until it is executed, and the lock with it.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  private var status: stat? {
    var status = stat()
    // The pointer is to a local variable and not kept by the call.
    return unsafe fstat(descriptor, &status) == 0 ? status : nil
  }

  /// Whether its path still leads to it: another process may have replaced it before it was locked.
  var isInPlace: Bool {
    var found = stat()
    // As above; the path is copied.
    guard unsafe lstat(path, &found) == 0, let status else { return false }
    return found.st_ino == status.st_ino && found.st_dev == status.st_dev
  }

  /// Returns its contents.
  func read() throws(JournalFailure) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(bytes)
    while true {
      var failure: SystemError?
      // The call writes at most `buffer.count` bytes, and only the bytes that were read count as initialised.
      let chunk = unsafe [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { buffer, count in
        let result = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if result < 0 { failure = .last }
        count = max(0, result)
      }
      if let failure {
        if failure.code == EINTR { continue }
        throw JournalFailure(.read, path, failure)
      }
      if chunk.isEmpty { return all }
      all += chunk
    }
  }

  /// Appends bytes, and blocks until the system has them.
  func append(_ new: [UInt8]) throws(JournalFailure) {
    var done = 0
    while done < new.count {
      // The buffer is the array's own storage, and stays where it is during the closure; done < count, so that the
      // pointer is inside it and the length that of the rest.
      let count = unsafe new.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
      }
      if count > 0 {
        done += count
        bytes += count
      } else if count == 0 || errno != EINTR {
        throw JournalFailure(.write, path, count == 0 ? SystemError(code: ENOSPC) : .last)
      }
    }
  }

  /// Waits until all bytes are on the disk.
  func synchronize() throws(JournalFailure) {
    guard fsync(descriptor) == 0 else { throw JournalFailure(.write, path, .last) }
  }

  /// Renames the file, and replaces the one at the new path.
  func rename(to target: String) throws(JournalFailure) {
    // Both paths are copied by the kernel before the call returns.
    guard unsafe Glibc.rename(path, target) == 0 else { throw JournalFailure(.replace, target, .last) }
    path = target
  }
}

/// A failed operation on a journal's file or folder.
struct JournalFailure: Error, Equatable, CustomStringConvertible {
  /// The operation, as a verb.
  enum Operation: String {
    case makeFolder = "make the folder"
    case open, lock, read, write, replace
    case startThread = "start the thread that writes"
  }

  let operation: Operation
  let path: String
  let error: SystemError

  init(_ operation: Operation, _ path: String, _ error: SystemError) {
    self.operation = operation
    self.path = path
    self.error = error
  }

  /// Whether another process has the file.
  var isHeldElsewhere: Bool { operation == .lock && error.code == EWOULDBLOCK }

  /// The operation, the path and the system's reason.
  var description: String {
    isHeldElsewhere ? "another process uses \(path)" : "cannot \(operation.rawValue) \(path): \(error)"
  }
}
