// The types of lower modules that an embedding server has to name: with them, `import MultiStore` is enough.
@_exported public import enum EventLoop.SocketAddress
@_exported public import struct Hiredis.ConnectionLimits
@_exported public import struct Hiredis.StoreEndpoint
@_exported public import enum RESP.RESPValue

/// A value that can be an argument of a command: a string's UTF-8, bytes unchanged, a number in decimal.
public protocol StoreArgument: Sendable {
  /// The bytes that go to the store.
  var argumentBytes: [UInt8] { get }
}

extension String: StoreArgument {
  /// The UTF-8 of the string.
  public var argumentBytes: [UInt8] { Array(utf8) }
}

extension Substring: StoreArgument {
  /// The UTF-8 of the substring.
  public var argumentBytes: [UInt8] { Array(utf8) }
}

extension Array: StoreArgument where Element == UInt8 {
  /// The bytes themselves.
  public var argumentBytes: [UInt8] { self }
}

extension ArraySlice: StoreArgument where Element == UInt8 {
  /// The bytes themselves.
  public var argumentBytes: [UInt8] { Array(self) }
}

extension Int: StoreArgument {
  /// The number in decimal.
  public var argumentBytes: [UInt8] { Array(String(self).utf8) }
}

extension Double: StoreArgument {
  /// The shortest decimal that reads back as the same number; `inf` and `-inf` as Redis has them.
  public var argumentBytes: [UInt8] { Array(String(self).utf8) }
}

/// A type that a store's bytes can be read as: bytes, text, or a number in decimal.
///
/// Commands that return values have a parameter `as` for it, which is `[UInt8]` by default. Bytes that can't be read as
/// the type are an error with code `unexpectedReply`.
public protocol StoreValue: Sendable {
  /// Nil if the bytes can't be read as this type.
  init?(storeBytes: [UInt8])
}

extension Array: StoreValue where Element == UInt8 {
  /// The bytes themselves.
  public init?(storeBytes: [UInt8]) {
    self = storeBytes
  }
}

extension String: StoreValue {
  /// Nil for bytes that are not UTF-8.
  public init?(storeBytes: [UInt8]) {
    self.init(validating: storeBytes, as: UTF8.self)
  }
}

extension Int: StoreValue {
  /// Nil for bytes that are not an integer in decimal.
  public init?(storeBytes: [UInt8]) {
    self.init(String(decoding: storeBytes, as: UTF8.self))
  }
}

extension Double: StoreValue {
  /// Nil for bytes that are not a number; Redis' `inf` and `-inf` are.
  public init?(storeBytes: [UInt8]) {
    self.init(String(decoding: storeBytes, as: UTF8.self))
  }
}
