internal import CHiredis
public import RESP

/// The kind of a RESP2 value.
public enum ReplyKind: Sendable {
  case status, error, integer, string, `nil`, array
}

/// A store's reply during its receiver's call. It can't be kept: it is freed when the receiver returns.
public struct Reply: ~Escapable {
  private let reply: UnsafePointer<redisReply>

  /// Borrows a reply. The caller keeps it alive for as long as the value can be seen, which the receiver's `borrowing`
  /// parameter limits to the call.
  @_lifetime(immortal)
  init(borrowing reply: UnsafePointer<redisReply>) {
    self.reply = reply
  }

  /// The kind of value. Null bulk strings and null arrays are both `nil`.
  public var kind: ReplyKind {
    switch reply.pointee.type {
    case REDIS_REPLY_STATUS: .status
    case REDIS_REPLY_ERROR: .error
    case REDIS_REPLY_INTEGER: .integer
    case REDIS_REPLY_STRING: .string
    case REDIS_REPLY_NIL: .nil
    default: .array
    }
  }

  /// The number, 0 for other kinds.
  public var integer: Int { Int(reply.pointee.integer) }

  /// The text of a status or an error (without `+` or `-`), or a string's bytes. Empty for other kinds.
  public var bytes: Span<UInt8> {
    @_lifetime(copy self)
    get {
      let span = Self.bytes(reply).span
      // The bytes belong to the reply and live as long as it does.
      return _overrideLifetime(span, copying: self)
    }
  }

  /// The number of an array's elements; 0 for other kinds.
  public var count: Int { reply.pointee.elements }

  /// Returns an element of an array.
  ///
  /// - Precondition: `index` is at least 0 and below `count`.
  public subscript(index: Int) -> Reply {
    @_lifetime(copy self)
    get {
      precondition(index >= 0 && index < count, "a reply has no element \(index)")
      guard let element = reply.pointee.element[index] else { preconditionFailure("hiredis left an element out") }
      return _overrideLifetime(Reply(borrowing: element), copying: self)
    }
  }

  /// Appends the reply as RESP2: exactly the bytes that the store sent.
  public func encode(into buffer: inout ByteBuffer) {
    Self.encode(reply, into: &buffer)
  }

  private static func bytes(_ reply: UnsafePointer<redisReply>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: UnsafeRawPointer(reply.pointee.str)?.assumingMemoryBound(to: UInt8.self),
      count: reply.pointee.len
    )
  }

  /// Calls itself for elements, as deep as replies can be nested: hiredis refuses more than nine levels.
  private static func encode(_ reply: UnsafePointer<redisReply>, into buffer: inout ByteBuffer) {
    switch reply.pointee.type {
    case REDIS_REPLY_STRING: buffer.appendBulk(bytes(reply).span)
    case REDIS_REPLY_STATUS: buffer.appendLine(UInt8(ascii: "+"), bytes(reply).span)
    case REDIS_REPLY_INTEGER: buffer.appendInteger(Int(reply.pointee.integer))
    case REDIS_REPLY_NIL:
      if reply.pointee.integer == ReplyObjects.nullArrayMark { buffer.appendNullArray() } else { buffer.appendNull() }
    case REDIS_REPLY_ERROR: buffer.appendLine(UInt8(ascii: "-"), bytes(reply).span)
    default:
      buffer.appendArrayHeader(reply.pointee.elements)
      for index in 0..<reply.pointee.elements {
        guard let element = reply.pointee.element[index] else { continue }
        encode(element, into: &buffer)
      }
    }
  }
}

extension Reply {
  /// Whether ``encode(into:)`` would write exactly `encoded`, the encoding of one reply. Comparing is less expensive
  /// than encoding. Always false for arrays and nulls.
  public func isEncoded(in encoded: Span<UInt8>) -> Bool {
    switch kind {
    case .status: encoded.isLine(UInt8(ascii: "+"), bytes)
    case .error: encoded.isLine(UInt8(ascii: "-"), bytes)
    case .integer: encoded.isLine(UInt8(ascii: ":"), integer)
    case .string: encoded.isBulk(bytes)
    case .nil, .array: false
    }
  }

  /// The first word of an error reply: `WRONGTYPE`, `OOM`, `ERR`.
  public var errorCode: String {
    var code = ""
    let text = bytes
    for index in text.indices.prefix(32) {
      guard text[index] > 0x20, text[index] < 0x7f else { break }
      code.unicodeScalars.append(UnicodeScalar(text[index]))
    }
    return code
  }

  /// The code of an error reply, if the sidecar acts on it.
  public var knownErrorCode: ServerErrorCode? { ServerErrorCode(rawValue: errorCode) }
}

/// The receiver of the outcomes of commands, called on the loop's thread.
public protocol ReplyReceiver: AnyObject {
  /// Delivers the store's reply to the command that was sent with `token`. Per connection exactly one of the two
  /// methods is called for each command, in the order of the sends.
  func receive(_ reply: borrowing Reply, token: Int)

  /// Reports that the command that was sent with `token` has no reply, and will get none. Never called from within
  /// `send` or `close`.
  func receive(failure: ConnectionFailure, token: Int)
}
