/// The limits on a client's input.
public struct ParserLimits: Equatable, Sendable {
  /// The longest argument, in bytes. Redis' `proto-max-bulk-len` is 512 MiB.
  public var maxBulkBytes: Int
  /// The most arguments a command may have, its name included: 1,048,576, as Redis before 7.0. Redis 7.0 accepts any
  /// number of 32 bits (seen on 7.0.15), which no client needs.
  public var maxArguments: Int
  /// The longest inline command and the longest length line, in bytes. Redis' `PROTO_INLINE_MAX_SIZE` is 64 KiB.
  public var maxLineBytes: Int
  /// The longest argument after a login, if the limits are those before one.
  private var maxBulkBytesAfterLogin: Int?

  /// Creates limits; the defaults are Redis'.
  public init(maxBulkBytes: Int = 512 << 20, maxArguments: Int = 1 << 20, maxLineBytes: Int = 64 << 10) {
    self.maxBulkBytes = maxBulkBytes
    self.maxArguments = maxArguments
    self.maxLineBytes = maxLineBytes
  }

  /// The limits for a client that has yet to log in, which are those of a Redis server; none of them is higher.
  public var beforeLogin: ParserLimits {
    var limits = self
    limits.maxBulkBytes = min(maxBulkBytes, 16 << 10)
    limits.maxArguments = min(maxArguments, 10)
    limits.maxBulkBytesAfterLogin = maxBulkBytes
    return limits
  }

  /// The error for a number of arguments above the limit. A number of more than 31 bits is one for all clients.
  func error(forArgumentCount count: Int) -> ProtocolError {
    let isForStrangers = maxBulkBytesAfterLogin != nil && count <= Int32.max
    return isForStrangers ? .unauthenticatedMultibulkLength : .invalidMultibulkLength
  }

  /// The error for an argument whose length is no number, or out of range.
  func error(forBulkLength length: Int?) -> ProtocolError {
    guard let length, length > 0, let maxBulkBytesAfterLogin, length <= maxBulkBytesAfterLogin else {
      return .invalidBulkLength
    }
    return .unauthenticatedBulkLength
  }
}
