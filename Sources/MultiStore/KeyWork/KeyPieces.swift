internal import Hiredis
internal import RESP

/// The questions by which a key of one type is read in pieces from the default store, and compared with the other one.
///
/// Strings, lists, sorted sets and streams have the same order on both stores; of sets and hashes the other store is
/// asked for what the default store has.
struct KeyPieces {
  /// The bytes of a piece of a string.
  static let bytes = 256 << 10
  /// The elements of a piece of any other type.
  static let elements = 500

  /// The types that can be read in pieces, as TYPE reports them.
  enum Kind: String {
    case string, list, set, zset, hash, stream
  }

  let kind: Kind
  let key: [UInt8]
  /// The position of the next piece: an offset, a cursor, or the ID before the first entry.
  private var position: [UInt8]
  private(set) var isAtEnd = false

  init(_ kind: Kind, of key: [UInt8]) {
    self.kind = kind
    self.key = key
    position = Array((kind == .stream ? "-" : "0").utf8)
  }

  /// The command that asks for the size: bytes of a string, elements of others.
  var sizeQuestion: [UInt8] {
    switch kind {
    case .string: question("STRLEN")
    case .list: question("LLEN")
    case .set: question("SCARD")
    case .zset: question("ZCARD")
    case .hash: question("HLEN")
    case .stream: question("XLEN")
    }
  }

  /// The command that reads the next piece from the default store.
  var sourceQuestion: [UInt8] {
    switch kind {
    case .string: range("GETRANGE", Self.bytes)
    case .list: range("LRANGE", Self.elements)
    case .zset: range("ZRANGE", Self.elements, "WITHSCORES")
    case .set: question("SSCAN", position, "COUNT", "\(Self.elements)")
    case .hash: question("HSCAN", position, "COUNT", "\(Self.elements)")
    case .stream: question("XRANGE", position, "+", "COUNT", "\(Self.elements)")
    }
  }

  /// Returns the command that asks the other store for the same piece; nil if the piece has nothing in it.
  func targetQuestion(for piece: [[UInt8]]) -> [UInt8]? {
    switch kind {
    case .string, .list, .zset, .stream: return sourceQuestion
    case .set: return piece.isEmpty ? nil : command("SMISMEMBER", piece)
    case .hash: return piece.isEmpty ? nil : command("HMGET", stride(from: 0, to: piece.count, by: 2).map { piece[$0] })
    }
  }

  /// Returns the texts in the default store's reply.
  func piece(_ reply: borrowing Reply) -> [[UInt8]] {
    switch kind {
    case .string: offset == 0 ? reply.texts.map(Self.comparable) : reply.texts
    case .set, .hash: reply.count == 2 ? reply[1].texts : []
    default: reply.texts
    }
  }

  /// Whether the other store's reply agrees with a piece, after ``advance(by:size:)`` has moved on from that.
  func agrees(_ piece: [[UInt8]], _ reply: borrowing Reply) -> Bool {
    let texts = reply.texts
    switch kind {
    case .string: return (offset == Self.bytes ? texts.map(Self.comparable) : texts) == piece
    case .list, .stream: return texts == piece
    case .set: return texts.count == piece.count && texts.allSatisfy { $0 == [UInt8(ascii: "1")] }
    case .hash:
      // A field that is missing is not one that is empty.
      for index in 0..<reply.count where reply[index].kind == .nil { return false }
      return texts.count == piece.count / 2 && texts.indices.allSatisfy { texts[$0] == piece[2 * $0 + 1] }
    case .zset:
      // Versions differ in the digits of a score.
      guard texts.count == piece.count else { return false }
      return texts.indices.allSatisfy { index in
        index % 2 == 0 ? texts[index] == piece[index] : Self.score(texts[index]) == Self.score(piece[index])
      }
    }
  }

  /// The details of a piece that agrees, after ``advance(by:size:)`` has moved on from it.
  func details(of piece: [[UInt8]]) -> [KeyDetail] {
    switch kind {
    case .hash where !piece.isEmpty:
      [.expiry(fields: stride(from: 0, to: piece.count, by: 2).map { piece[$0] })]
    case .stream where isAtEnd: [.lastID, .groups]
    default: []
    }
  }

  /// Moves on by the default store's reply.
  ///
  /// - Parameter size: the key's size.
  mutating func advance(by reply: borrowing Reply, size: Int) {
    switch kind {
    case .string: advance(by: Self.bytes, size: size)
    case .list, .zset: advance(by: Self.elements, size: size)
    case .set, .hash:
      position = reply.count == 2 ? reply[0].bytes.array : KeyScan.start
      isAtEnd = position == KeyScan.start
    case .stream:
      isAtEnd = reply.count < Self.elements
      if !isAtEnd { position = [UInt8(ascii: "(")] + reply[reply.count - 1][0].bytes.array }
    }
  }

  private mutating func advance(by step: Int, size: Int) {
    let next = offset + step
    position = Array("\(next)".utf8)
    isAtEnd = next >= size
  }

  private var offset: Int { Int(String(decoding: position, as: UTF8.self)) ?? 0 }

  /// Returns the beginning of a string without what PFCOUNT writes into a HyperLogLog, as the function of that name in
  /// ``KeyDigest`` does.
  private static func comparable(_ beginning: [UInt8]) -> [UInt8] {
    guard beginning.count >= 16, beginning.starts(with: "HYLL".utf8), beginning[4] <= 1 else { return beginning }
    var beginning = beginning
    beginning.replaceSubrange(8..<16, with: repeatElement(0, count: 8))
    return beginning
  }

  private static func score(_ text: [UInt8]) -> Double? { Double(String(decoding: text, as: UTF8.self)) }

  private func range(_ name: StaticString, _ count: Int, _ more: String...) -> [UInt8] {
    question(name, position, ["\(offset + count - 1)"] + more)
  }

  private func question(_ name: StaticString, _ position: [UInt8]? = nil, _ more: String...) -> [UInt8] {
    question(name, position, more)
  }

  private func question(_ name: StaticString, _ position: [UInt8]?, _ more: [String]) -> [UInt8] {
    command(name, (position.map { [$0] } ?? []) + more.map { Array($0.utf8) })
  }

  private func command(_ name: StaticString, _ arguments: [[UInt8]]) -> [UInt8] {
    ByteBuffer.command([name], key, arguments).bytes
  }
}
