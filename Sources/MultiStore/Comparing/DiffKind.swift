internal import Hiredis
internal import RESP

/// The cause of two replies that differ: the label `kind`.
///
/// While a store fills up it lacks keys, which is expected and temporary; another value is not.
enum DiffKind: String, CaseIterable {
  /// The other store lacks the key, as far as replies can tell.
  case gap
  /// It has another value, or one that the default store lacks.
  case mismatch
}

extension DiffKind {
  /// Determines the kind from the replies alone, which differ. A command that asks for a part of a key (HGET,
  /// SISMEMBER) gets the same reply where the key is absent and where it lacks that part: both count as a gap.
  ///
  /// - Parameters:
  ///   - reply: the other store's, which shows by the command's miss rule whether it lacks the key.
  ///   - otherReply: the same, encoded.
  ///   - defaultReply: the default store's, encoded.
  init(
    of spec: CommandSpec,
    _ command: Span<UInt8>,
    _ reply: borrowing Reply,
    otherReply: Span<UInt8>,
    defaultReply: Span<UInt8>
  ) {
    let lacksKey: Bool
    switch reply.kind {
    case .array where spec.miss == .anyNullElement:
      lacksKey = Self.lacksElements(spec, reply, otherReply, defaultReply)
    case .nil where spec.traits.contains(.replacesKeys):
      // GETSET, GETDEL, SET with GET: the value that was there before.
      lacksKey = true
    case .integer where !spec.traits.isDisjoint(with: [.replacesKeys, .mergesKeys]):
      // DEL, EXISTS and the like count keys: the other store found fewer of them.
      lacksKey = Self.integer(defaultReply).map { reply.integer < $0 } ?? false
    default:
      lacksKey = spec.miss.isMiss(reply, of: command)
    }
    self = lacksKey ? .gap : .mismatch
  }

  /// Whether the elements that differ are missing keys. Each element of MGET's reply is a key; elsewhere all elements
  /// are parts of one key.
  private static func lacksElements(
    _ spec: CommandSpec,
    _ reply: borrowing Reply,
    _ otherReply: Span<UInt8>,
    _ defaultReply: Span<UInt8>
  ) -> Bool {
    guard spec.id == .mget else {
      for index in 0..<reply.count where reply[index].kind != .nil { return false }
      return true
    }
    var (position, defaultPosition) = (0, 0)
    guard case .array(let elements)? = RESPValue.decode(otherReply, at: &position),
      case .array(let wanted)? = RESPValue.decode(defaultReply, at: &defaultPosition), elements.count == wanted.count
    else { return false }
    return zip(elements, wanted).allSatisfy { $0 == $1 || $0 == .null }
  }

  private static func integer(_ reply: Span<UInt8>) -> Int? {
    var position = 0
    guard case .integer(let integer)? = RESPValue.decode(reply, at: &position) else { return nil }
    return Int(integer)
  }
}
