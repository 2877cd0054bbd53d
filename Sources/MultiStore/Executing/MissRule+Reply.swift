internal import Hiredis
internal import RESP

extension MissRule {
  /// Whether `reply` shows that the store lacks what `command` asked for.
  ///
  /// An error is one by ``MissRule/noKeyError`` alone. By ``MissRule/anyNullElement`` one nil element is enough.
  func isMiss(_ reply: borrowing Reply, of command: Span<UInt8>) -> Bool {
    switch reply.kind {
    case .error:
      return self == .noKeyError && (reply.errorCode == "NOGROUP" || reply.bytes.hasSameBytes(as: "ERR no such key"))
    case .nil: return self != .never
    case .status: return self == .noneStatus && reply.bytes.hasSameBytes(as: "none")
    case .integer: return isMiss(integer: reply.integer)
    case .string: return (self == .emptyString || self == .lcs) && reply.bytes.isEmpty
    case .array: return isMiss(array: reply, of: command)
    }
  }

  private func isMiss(integer: Int) -> Bool {
    switch self {
    case .zero, .lcs: integer == 0
    case .minusTwo: integer == -2
    // A missing key is read as an endless row of zero bits: it has no 1 (-1), and its first 0 at 0.
    case .bitPosition: integer == -1 || integer == 0
    default: false
    }
  }

  private func isMiss(array reply: borrowing Reply, of command: Span<UInt8>) -> Bool {
    switch self {
    case .emptyCollection, .nullOrEmpty:
      return reply.count == 0
    case .anyNullElement:
      for index in 0..<reply.count where reply[index].kind == .nil { return true }
      return false
    case .allZero: return allElements(of: reply, are: 0)
    case .allMinusTwo: return allElements(of: reply, are: -2)
    case .emptyScan:
      guard reply.count == 2, reply[0].bytes.hasSameBytes(as: "0"), reply[1].count == 0,
        let cursor = ArgumentCursor(command).argument(at: 2)
      else { return false }
      return cursor.hasSameBytes(as: "0")
    case .lcs:
      return reply.count == 4 && reply[3].kind == .integer && reply[3].integer == 0
    default: return false
    }
  }

  private func allElements(of reply: borrowing Reply, are value: Int) -> Bool {
    for index in 0..<reply.count where reply[index].kind != .integer || reply[index].integer != value { return false }
    return reply.count > 0
  }
}
