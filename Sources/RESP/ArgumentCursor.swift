/// Walks the arguments of one whole command that ``CommandParser`` accepted (an array of bulk strings).
///
/// It reads lengths in place instead of keeping a list of positions, so that commands of one or two arguments, the
/// common case, need no memory for one.
public struct ArgumentCursor: ~Escapable {
  private let command: Span<UInt8>
  private var position: Int
  /// The number of arguments, the name included.
  public let count: Int
  /// The index that ``next()`` returns next; the name has index 0.
  public private(set) var index = 0

  /// Creates a cursor over the arguments of `command`, which has to be one whole array of bulk strings.
  @_lifetime(copy command)
  public init(_ command: Span<UInt8>) {
    self.command = command
    var at = 1
    count = Self.readNumber(command, &at)
    position = at
  }

  /// Returns the next argument; nil after the last.
  @_lifetime(copy self)
  public mutating func next() -> Span<UInt8>? {
    guard let range = nextRange() else { return nil }
    return command.extracting(range)
  }

  /// Returns the range of the next argument inside the command; nil after the last.
  @_lifetime(self: copy self)
  public mutating func nextRange() -> Range<Int>? {
    guard index < count else { return nil }
    position += 1
    let length = Self.readNumber(command, &position)
    let range = position..<position + length
    position += length + 2
    index += 1
    return range
  }

  /// Returns the argument at `index` (0 is the name), searched from the front.
  @_lifetime(copy self)
  public func argument(at index: Int) -> Span<UInt8>? {
    var arguments = ArgumentCursor(command)
    var left = index
    while left > 0 {
      guard arguments.nextRange() != nil else { return nil }
      left -= 1
    }
    guard let range = arguments.nextRange() else { return nil }
    return command.extracting(range)
  }

  /// Whether `command`, one whole array of bulk strings, has `count` arguments, the name included. It costs less than
  /// making a cursor.
  ///
  /// - Precondition: `count` has one digit.
  @inlinable @inline(__always)
  public static func has(_ count: UInt8, in command: Span<UInt8>) -> Bool {
    command[1] == UInt8(ascii: "0") + count && command[2] == UInt8(ascii: "\r")
  }

  private static func readNumber(_ bytes: Span<UInt8>, _ at: inout Int) -> Int {
    var value = 0
    while bytes[at] != UInt8(ascii: "\r") {
      value = value * 10 + Int(bytes[at] &- UInt8(ascii: "0"))
      at += 1
    }
    at += 2
    return value
  }
}
