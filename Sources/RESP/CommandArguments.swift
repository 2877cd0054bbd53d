/// The arguments of one command in any representation: argument 0 is the command's name.
public protocol CommandArguments: ~Copyable, ~Escapable {
  /// The number of arguments, the name included.
  var argumentCount: Int { get }

  /// Returns the bytes of one argument.
  ///
  /// - Precondition: `index` is at least 0 and below `argumentCount`.
  @_lifetime(borrow self)
  borrowing func argument(at index: Int) -> Span<UInt8>
}

extension CommandArguments where Self: ~Copyable & ~Escapable {
  /// Whether the argument at `index` is `word` in any case. `word` is in lower case.
  func argument(at index: Int, is word: StaticString) -> Bool {
    let bytes = argument(at: index)
    guard bytes.count == word.utf8CodeUnitCount else { return false }
    // A literal's bytes are in the binary, as many as it says.
    let wanted = unsafe UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    for offset in bytes.indices where unsafe wanted[offset] != lowercased(bytes[offset]) { return false }
    return true
  }

  /// Returns the argument at `index` as a count of arguments that may follow it; nil when it isn't one.
  func count(at index: Int) -> Int? {
    argument(at: index).argumentCount
  }
}

extension Span<UInt8> {
  /// The bytes as a count of arguments; nil when they aren't one.
  var argumentCount: Int? {
    // Nine digits are more than any command has arguments.
    guard !isEmpty, count <= 9 else { return nil }
    var value = 0
    for offset in indices {
      let digit = self[offset] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }
}
