/// Rewrites one whole reply. Bytes that stay are moved towards the front in runs as long as possible.
struct ReplyUpgrade {
  /// The value that is looked at next.
  private var position: Int
  /// Where the bytes begin that have not been moved yet.
  private var kept: Int
  /// Where they go.
  private var end: Int

  init(at start: Int) {
    position = start
    kept = start
    end = start
  }

  /// Where the reply ends that begins at `start`; nil if it isn't whole.
  static func end(of bytes: Span<UInt8>, from start: Int) -> Int? {
    guard start < bytes.count else { return nil }
    var scanner = ReplyScanner()
    guard case .complete(let length) = scanner.scan(bytes.extracting(start...)) else { return nil }
    return start + length
  }

  /// Rewrites the reply, which has to be whole, and returns where it then ends.
  mutating func run(on bytes: inout MutableSpan<UInt8>) -> Int {
    var valuesLeft = 1
    while valuesLeft > 0 {
      valuesLeft -= 1
      let type = bytes[position]
      let isNull = bytes[position + 1] == UInt8(ascii: "-")
      let number = skipLine(in: &bytes)
      switch type {
      case UInt8(ascii: "$") where isNull, UInt8(ascii: "*") where isNull:
        replaceLine(by: UInt8(ascii: "_"), in: &bytes)
      case UInt8(ascii: "$"): position += number + 2
      case UInt8(ascii: "*"): valuesLeft += number
      default: break
      }
    }
    keep(upTo: position, in: &bytes)
    return end
  }

  /// Moves behind the line at `position` and returns the number in it, or something for a line without one.
  private mutating func skipLine(in bytes: inout MutableSpan<UInt8>) -> Int {
    var number = 0
    position += 1
    while bytes[position] != UInt8(ascii: "\r") || bytes[position + 1] != UInt8(ascii: "\n") {
      number = number &* 10 &+ Int(bytes[position] &- UInt8(ascii: "0"))
      position += 1
    }
    position += 2
    return number
  }

  /// Replaces the five bytes before `position`, a null.
  private mutating func replaceLine(by type: UInt8, in bytes: inout MutableSpan<UInt8>) {
    keep(upTo: position - 5, in: &bytes)
    bytes[end] = type
    bytes[end + 1] = UInt8(ascii: "\r")
    bytes[end + 2] = UInt8(ascii: "\n")
    end += 3
    kept = position
  }

  /// Moves the bytes that stay up to `limit`.
  private mutating func keep(upTo limit: Int, in bytes: inout MutableSpan<UInt8>) {
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
}
