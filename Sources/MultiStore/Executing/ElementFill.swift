internal import Hiredis
internal import RESP

/// A reply of many values (MGET, HMGET, ZMSCORE, GEOPOS) with missing ones, called holes, and the command that asks
/// another store for these.
struct ElementFill: ~Copyable {
  private var elements = ByteBuffer()
  /// The end of each element in `elements`; a hole has no bytes.
  private var ends: [Int] = []
  /// The number of holes in the reply.
  private(set) var missingCount = 0

  /// Whether the reply has nothing but holes.
  var isWholeReply: Bool { missingCount == ends.count }

  /// Keeps `reply` and writes into `scratch` the command that asks for its nil elements.
  ///
  /// - Parameters:
  ///   - isWholeKeys: true for MGET, where every argument stands for an element; otherwise the first argument is the
  ///     key that all elements are part of.
  ///   - isStale: whether the other store must not be asked for a key of MGET, whose element then stays nil.
  mutating func prepare(
    command: Span<UInt8>,
    reply: borrowing Reply,
    isWholeKeys: Bool,
    isStale: (Span<UInt8>) -> Bool,
    into scratch: inout ByteBuffer
  ) {
    removeAll()
    let leading = isWholeKeys ? 1 : 2
    var arguments = ArgumentCursor(command)
    while let argument = arguments.next() {
      let index = arguments.index - 1 - leading
      guard index >= 0, index < reply.count else { continue }
      if reply[index].kind != .nil || (isWholeKeys && isStale(argument)) {
        reply[index].encode(into: &elements)
      } else {
        missingCount += 1
      }
      ends.append(elements.count)
    }
    scratch.removeAll()
    scratch.appendCommand(expecting: leading + missingCount) { question in
      var arguments = ArgumentCursor(command)
      while let argument = arguments.next() {
        let index = arguments.index - 1 - leading
        if index < 0 || (index < ends.count && isHole(index)) { question.append(argument) }
      }
    }
  }

  /// Writes the reply with its holes filled from `filling`, whose elements are in the order of the holes.
  ///
  /// - Parameter unfilled: elements that stay nil.
  /// - Returns: true if anything was filled.
  func encode(
    filledFrom filling: borrowing Reply,
    except unfilled: Set<Int> = [],
    into output: inout ByteBuffer
  ) -> Bool {
    var filled = false
    var hole = 0
    output.appendArrayHeader(ends.count)
    for index in ends.indices {
      if isHole(index) {
        if unfilled.contains(index) {
          output.appendNull()
        } else {
          if filling[hole].kind != .nil { filled = true }
          filling[hole].encode(into: &output)
        }
        hole += 1
      } else {
        output.append(elements.span.extracting(start(index)..<ends[index]))
      }
    }
    return filled
  }

  /// Writes the original reply, with its holes.
  func encode(into output: inout ByteBuffer) {
    output.appendArrayHeader(ends.count)
    for index in ends.indices {
      if isHole(index) {
        output.appendNull()
      } else {
        output.append(elements.span.extracting(start(index)..<ends[index]))
      }
    }
  }

  /// Fills the nil elements of one encoded array with those of another, and writes the result.
  ///
  /// - Parameter outdated: the elements that stay nil.
  /// - Returns: false, with nothing written, if there was nothing to fill or the two don't match.
  static func merge(
    _ reply: Span<UInt8>,
    _ filling: Span<UInt8>,
    except outdated: Set<Int> = [],
    into output: inout ByteBuffer
  ) -> Bool {
    var position = 0
    var fillingPosition = 0
    guard case .array(var elements)? = RESPValue.decode(reply, at: &position),
      case .array(let candidates)? = RESPValue.decode(filling, at: &fillingPosition),
      elements.count == candidates.count
    else { return false }
    var filled = false
    for index in elements.indices
    where elements[index] == .null && candidates[index] != .null && !outdated.contains(index) {
      elements[index] = candidates[index]
      filled = true
    }
    if filled { output.append(.array(elements)) }
    return filled
  }

  /// Whether an encoded array has nothing but nil elements.
  static func isWholeReply(_ reply: Span<UInt8>) -> Bool {
    var position = 0
    guard case .array(let elements)? = RESPValue.decode(reply, at: &position) else { return false }
    return elements.allSatisfy { $0 == .null }
  }

  mutating func removeAll() {
    elements.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    ends.removeAll(keepingCapacity: true)
    missingCount = 0
  }

  private func start(_ index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }

  private func isHole(_ index: Int) -> Bool { ends[index] == start(index) }
}
