/// Writes one command, as an array of bulk strings, to the end of a buffer.
///
/// The writer counts the arguments that it is given, and the header says how many there were: the two can't disagree,
/// and no caller has to count. Bytes are copied once, from the caller's span to the buffer, and nothing is allocated
/// but the buffer's memory.
public struct CommandWriter: ~Copyable {
  private var buffer: ByteBuffer
  /// The position of the header's number in the buffer.
  private let number: Range<Int>
  private let expected: Int
  private var count = 0

  @usableFromInline
  init(_ buffer: consuming ByteBuffer, expecting expected: Int) {
    let start = buffer.count + 1
    buffer.appendArrayHeader(expected)
    number = start..<buffer.count - 2
    self.buffer = buffer
    self.expected = expected
  }

  /// Appends an argument that is a literal, such as the command's name.
  public mutating func append(_ word: StaticString) {
    count += 1
    buffer.appendBulk(word)
  }

  /// Appends the argument `bytes`.
  public mutating func append(_ bytes: Span<UInt8>) {
    count += 1
    buffer.appendBulk(bytes)
  }

  /// Appends the UTF-8 of `text` as an argument.
  public mutating func append(text: String) {
    count += 1
    buffer.appendBulk(text)
  }

  /// Appends `integer` in decimal as an argument.
  public mutating func append(decimal integer: Int) {
    count += 1
    buffer.appendBulk(decimal: integer)
  }

  @usableFromInline
  consuming func finish() -> ByteBuffer {
    if count != expected { buffer.replace(number, with: Decimal(count).span) }
    return buffer
  }

  /// Returns the command of `words`, the name first.
  public static func command(_ words: [String]) -> [UInt8] {
    var buffer = ByteBuffer()
    buffer.appendCommand(expecting: words.count) { command in
      for word in words { command.append(text: word) }
    }
    return buffer.bytes
  }

  /// Returns the command of `words`, the name first.
  public static func command(_ words: String...) -> [UInt8] {
    command(words)
  }
}

extension ByteBuffer {
  /// Appends the command that `body` writes, and returns what `body` returns.
  ///
  /// - Parameter count: The number of arguments to expect, the name included. It has no influence on the result; with
  ///   the right number the header need not be corrected, which moves the command if it is of another length.
  @inlinable
  public mutating func appendCommand<Result>(
    expecting count: Int,
    _ body: (inout CommandWriter) -> Result
  ) -> Result {
    var command = CommandWriter(consume self, expecting: count)
    let result = body(&command)
    self = command.finish()
    return result
  }
}
