/// What can be an argument of a command: a string's UTF-8, bytes as they are, a number in decimal.
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
