#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Writes messages for the operator at the terminal. Events of a running sidecar go to the JSON log instead.
enum StandardError {
  static func say(_ line: String, terminator: String = "\n") {
    var text = line + terminator
    text.withUTF8 { bytes in
      // The descriptor may be closed or full; there is no other place for the message.
      _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
  }
}
