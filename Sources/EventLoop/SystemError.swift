internal import CUV
internal import Glibc
public import TLS

/// A failed system call, as the number of its error, so that no caller has to compare texts.
struct SystemError: Error, Equatable {
  /// The positive `errno` value.
  var code: Int32

  /// Creates an error from `errno`, which has to be read directly after the call that failed.
  init(errno code: Int32) {
    self.code = code
  }

  /// Creates an error from the negative result of a libuv function.
  init(uv result: Int32) {
    self.code = -result
  }

  /// The reason in libuv's words ("address already in use").
  var reason: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let base = buffer.baseAddress else { return "error \(code)" }
      uv_strerror_r(-code, base, buffer.count)
      return String(cString: base)
    }
  }
}

/// A failure to set up the event loop, or an object that belongs to it.
public struct EventLoopError: Error, Equatable, CustomStringConvertible {
  /// The operation, for example "watching the directory /etc".
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

/// The failure that closed a stream.
public struct StreamError: Error, Equatable, CustomStringConvertible {
  /// The `errno` value, for example `ECONNRESET`.
  public let code: Int32
  /// The reason in words.
  public let reason: String
  /// The failure of TLS; nil for one of the socket.
  public let tls: TLSFailure?

  init(uv result: Int32) {
    let error = SystemError(uv: result)
    self.code = error.code
    self.reason = error.reason
    tls = nil
  }

  init(_ failure: TLSFailure) {
    code = EPROTO
    reason = failure.message
    tls = failure
  }

  /// The reason, for humans.
  public var description: String { reason }
}
