/// Reads a reply, and rewrites it in place or before its present position.
///
/// Bytes that stay are moved in runs as long as possible. Writing must not overtake reading: a reply that may grow has
/// to lie behind its destination by as many bytes.
///
/// - Precondition: a ``ReplyExtent`` was found for the reply.
struct ReplyEdit {
  /// The position of the next byte to be read.
  private(set) var position: Int
  /// The position of the bytes that stay and have not been moved yet.
  private var kept: Int
  /// Their destination, which is the end of the bytes written so far.
  private(set) var end: Int

  /// Reads from `start`, and writes from `destination`, which is not behind it.
  init(from start: Int, to destination: Int) {
    position = start
    kept = start
    end = destination
  }

  /// Reads the number of the header at `position`: a count, a length, or -1.
  @inline(__always)
  mutating func readNumber(in bytes: borrowing MutableSpan<UInt8>) -> Int {
    position += 1
    if bytes[position] == UInt8(ascii: "-") {
      position += 4
      return -1
    }
    var number = 0
    while bytes[position] != UInt8(ascii: "\r") {
      number = number &* 10 &+ Int(bytes[position] &- UInt8(ascii: "0"))
      position += 1
    }
    position += 2
    return number
  }

  /// Reads the line at `position`.
  mutating func skipLine(in bytes: borrowing MutableSpan<UInt8>) {
    while bytes[position] != UInt8(ascii: "\r") || bytes[position + 1] != UInt8(ascii: "\n") { position += 1 }
    position += 2
  }

  /// Reads the body of a bulk string of `length` bytes.
  mutating func skipBody(_ length: Int) {
    position += length + 2
  }

  /// Reads `count` values with all that is in them.
  mutating func skipValues(_ count: Int, in bytes: borrowing MutableSpan<UInt8>) {
    var left = count
    while left > 0 {
      left -= 1
      switch bytes[position] {
      case UInt8(ascii: "$"):
        let length = readNumber(in: bytes)
        if length >= 0 { skipBody(length) }
      case UInt8(ascii: "*"): left += max(0, readNumber(in: bytes))
      default: skipLine(in: bytes)
      }
    }
  }

  /// Replaces the bytes read since `start` by a line of `type` with `number`, or without one.
  mutating func replace(
    from start: Int,
    by type: UInt8,
    _ number: Int? = nil,
    in bytes: inout MutableSpan<UInt8>
  ) {
    keep(upTo: start, in: &bytes)
    kept = position
    write(type, in: &bytes)
    if let number { write(decimal: number, in: &bytes) }
    write(UInt8(ascii: "\r"), in: &bytes)
    write(UInt8(ascii: "\n"), in: &bytes)
  }

  /// Replaces the bytes read since `start` by `type` alone, or by nothing.
  mutating func replace(from start: Int, byPrefix type: UInt8?, in bytes: inout MutableSpan<UInt8>) {
    keep(upTo: start, in: &bytes)
    kept = position
    if let type { write(type, in: &bytes) }
  }

  /// Writes `text` before the next byte to be read.
  mutating func insert(_ text: StaticString, in bytes: inout MutableSpan<UInt8>) {
    keep(upTo: position, in: &bytes)
    // A literal's bytes are in the binary, as many as it says.
    for index in 0..<text.utf8CodeUnitCount { unsafe write(text.utf8Start[index], in: &bytes) }
  }

  /// Moves the bytes that stay up to `limit`, which were all read.
  mutating func keep(upTo limit: Int, in bytes: inout MutableSpan<UInt8>) {
    let length = limit - kept
    if end != kept, length > 0 {
      let (from, to) = (kept, end)
      // Both places are inside of the span, and the copy allows for their overlapping.
      unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[to..<to + length])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[from..<limit]))
      }
    }
    end += length
    kept = limit
  }

  private mutating func write(_ byte: UInt8, in bytes: inout MutableSpan<UInt8>) {
    bytes[end] = byte
    end += 1
  }

  private mutating func write(decimal number: Int, in bytes: inout MutableSpan<UInt8>) {
    let digits = Decimal(number)
    for index in digits.span.indices { write(digits.span[index], in: &bytes) }
  }
}
