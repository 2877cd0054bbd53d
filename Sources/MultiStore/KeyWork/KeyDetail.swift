internal import Hiredis
internal import RESP

/// A part of a key that its elements do not show, for a key that is compared in pieces.
enum KeyDetail {
  /// When fields of a hash expire.
  case expiry(fields: [[UInt8]])
  /// The last ID of a stream.
  case lastID
  /// The groups of a stream.
  case groups
  /// The entries of a group that are not acknowledged: how many each consumer has, and the first and the last ID.
  case pending(group: [UInt8])

  /// The command that asks a store for it.
  func question(about key: [UInt8]) -> [UInt8] {
    let command =
      switch self {
      case .expiry(let fields):
        ByteBuffer.command(["HPEXPIRETIME"], key, ["FIELDS", "\(fields.count)"].map { Array($0.utf8) } + fields)
      case .lastID: ByteBuffer.command(["XINFO", "STREAM"], key)
      case .groups: ByteBuffer.command(["XINFO", "GROUPS"], key)
      case .pending(let group): ByteBuffer.command(["XPENDING"], key, [group])
      }
    return command.bytes
  }

  /// The parts of a reply that are equal on stores that have the same: versions differ in what else they tell.
  func facts(_ reply: borrowing Reply) -> [[UInt8]] {
    switch self {
    case .expiry, .pending: return reply.texts
    case .lastID: return Self.values(of: ["last-generated-id"], reply)
    case .groups:
      var facts: [[UInt8]] = []
      for index in 0..<reply.count {
        facts += Self.values(of: ["name", "consumers", "pending", "last-delivered-id"], reply[index])
      }
      return facts
    }
  }

  /// The details that the facts of this one lead to.
  func following(_ facts: [[UInt8]]) -> [KeyDetail] {
    guard case .groups = self else { return [] }
    return stride(from: 0, to: facts.count, by: 4).map { .pending(group: facts[$0]) }
  }

  /// The values of these names in a list of names and values, in the order of the names.
  private static func values(of names: [StaticString], _ list: borrowing Reply) -> [[UInt8]] {
    names.map { name in
      for index in stride(from: 0, to: list.count - 1, by: 2) where list[index].bytes.hasSameBytes(as: name) {
        return list[index + 1].texts.first ?? []
      }
      return []
    }
  }
}

extension Reply {
  /// The strings and numbers in a reply, in their order; a null is empty.
  var texts: [[UInt8]] {
    switch kind {
    case .array:
      var texts: [[UInt8]] = []
      for index in 0..<count { texts += self[index].texts }
      return texts
    case .integer: return [Array("\(integer)".utf8)]
    default: return [bytes.array]
    }
  }
}
