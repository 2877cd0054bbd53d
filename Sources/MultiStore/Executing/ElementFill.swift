internal import Hiredis
internal import RESP

/// A reply of many values (MGET, HMGET, ZMSCORE, GEOPOS) with missing ones, called holes, and the command that asks
/// another store for these.
struct ElementFill: ~Copyable {
  private var elements = ByteBuffer()
  /// The end of each element in `elements`, which is nil if it is a hole.
  private var ends: [(end: Int, isHole: Bool)] = []
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
      let isHole = reply[index].kind == .nil && !(isWholeKeys && isStale(argument))
      if isHole { missingCount += 1 }
      reply[index].encode(into: &elements)
      ends.append((elements.count, isHole))
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
      if isHole(index), !unfilled.contains(index), filling[hole].kind != .nil {
        filled = true
        filling[hole].encode(into: &output)
      } else {
        output.append(element(index))
      }
      if isHole(index) { hole += 1 }
    }
    return filled
  }

  /// Writes the original reply, with its holes.
  func encode(into output: inout ByteBuffer) {
    output.appendArrayHeader(ends.count)
    output.append(elements.span)
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
    guard let count = RESPValue.decodeArrayHeader(reply, at: &position),
      RESPValue.decodeArrayHeader(filling, at: &fillingPosition) == count
    else { return false }
    let start = output.count
    output.appendArrayHeader(count)
    var filled = false
    for index in 0..<count {
      // The bytes are kept: a value does not tell one kind of null from the other.
      let (begin, fillingBegin) = (position, fillingPosition)
      guard let element = RESPValue.decode(reply, at: &position),
        let candidate = RESPValue.decode(filling, at: &fillingPosition)
      else {
        filled = false
        break
      }
      if element == .null, candidate != .null, !outdated.contains(index) {
        filled = true
        output.append(filling.extracting(fillingBegin..<fillingPosition))
      } else {
        output.append(reply.extracting(begin..<position))
      }
    }
    if !filled { output.truncate(to: start) }
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

  private func isHole(_ index: Int) -> Bool { ends[index].isHole }

  /// An element as it is encoded in the original reply.
  @_lifetime(borrow self)
  private func element(_ index: Int) -> Span<UInt8> {
    elements.span.extracting((index == 0 ? 0 : ends[index - 1].end)..<ends[index].end)
  }
}
