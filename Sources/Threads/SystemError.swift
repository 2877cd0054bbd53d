internal import Glibc

/// An error number of the system, errno(3), with its text.
package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// The number.
  package let code: Int32

  /// The error with a number.
  package init(code: Int32) {
    self.code = code
  }

  /// The error of this thread's last system call that failed.
  package static var last: SystemError { SystemError(code: errno) }

  /// The text of strerror(3), beginning in lower case as it stands in the middle of sentences.
  package var description: String {
    // glibc's strerror uses memory of the thread (since 2.32), valid until its next call: copied at once.
    guard let text = unsafe strerror(code).map({ unsafe String(cString: $0) }) else { return "error \(code)" }
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}
