#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Messages for the person at the terminal. What happens while the sidecar runs goes to the JSON log instead.
enum StandardError {
  static func say(_ line: String, terminator: String = "\n") {
    var text = line + terminator
    text.withUTF8 { bytes in
      // The descriptor may be closed or full: then there is nobody to tell.
      _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
  }
}
