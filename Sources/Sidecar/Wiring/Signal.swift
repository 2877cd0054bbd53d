#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The signals that the sidecar handles.
enum Signal: String, CustomStringConvertible {
  /// Stop gracefully; sent by service managers.
  case terminate = "SIGTERM"
  /// The same, from a terminal.
  case interrupt = "SIGINT"
  /// Reopen the log file, and check the flag file and the web configuration.
  case hangUp = "SIGHUP"

  var number: Int32 {
    switch self {
    case .terminate: SIGTERM
    case .interrupt: SIGINT
    case .hangUp: SIGHUP
    }
  }

  var description: String { rawValue }
}
