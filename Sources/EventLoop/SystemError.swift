internal import CUV

/// A failed system call: what the operating system said, kept as a number so that nobody has to match text.
struct SystemError: Error, Equatable {
  /// The positive `errno` value.
  var code: Int32

  /// What `errno` says right now; read it directly after the call that failed.
  init(errno code: Int32) {
    self.code = code
  }

  /// libuv's negative result, as returned by one of its functions.
  init(uv result: Int32) {
    self.code = -result
  }

  /// The reason in a few words, as libuv has it ("address already in use").
  var reason: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let base = buffer.baseAddress else { return "error \(code)" }
      uv_strerror_r(-code, base, buffer.count)
      return String(cString: base)
    }
  }
}

/// The event loop or something that lives on it could not be set up.
public struct EventLoopError: Error, Equatable, CustomStringConvertible {
  /// What was attempted, for example "watching the directory /etc".
  public let operation: String
  /// The `errno` value.
  public let code: Int32
  /// The reason in words.
  public let reason: String

  init(_ operation: String, uv result: Int32) {
    let error = SystemError(uv: result)
    self.operation = operation
    self.code = error.code
    self.reason = error.reason
  }

  /// Operation and reason, for humans.
  public var description: String { "\(operation) failed: \(reason)" }
}

/// Why a stream ended, when it was not the peer's orderly end.
public struct StreamError: Error, Equatable, CustomStringConvertible {
  /// The `errno` value, for example `ECONNRESET`.
  public let code: Int32
  /// The reason in words.
  public let reason: String

  init(uv result: Int32) {
    let error = SystemError(uv: result)
    self.code = error.code
    self.reason = error.reason
  }

  /// The reason, for humans.
  public var description: String { reason }
}
