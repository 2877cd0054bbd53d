/// One direction of a relayed connection: bytes that were read and not written yet, each piece with the moment from
/// which it may be written.
struct RelayFlow {
  /// The most bytes that are kept; reading stops above it. Far above what tests have in flight with a delay.
  private static let limit = 64 << 20

  private struct Piece {
    let bytes: [UInt8]
    var due: ContinuousClock.Instant
  }

  private var pieces: [Piece] = []
  /// The index of the first piece that has not been written as a whole.
  private var first = 0
  /// The bytes of the first piece that have been written.
  private var written = 0
  private var count = 0
  /// Whether the end of the stream was read.
  private(set) var hasEnded = false

  /// Whether more is to be read.
  var wantsBytes: Bool { !hasEnded && count < Self.limit }

  /// Whether the end of the stream was read and all bytes before it were written.
  var isDrained: Bool { hasEnded && count == 0 }

  /// The moment from which the next bytes may be written; nil if there are none.
  var nextDue: ContinuousClock.Instant? { first < pieces.count ? pieces[first].due : nil }

  /// Adds bytes that may be written from `due` on, or from when the ones before them may.
  mutating func append(_ bytes: ArraySlice<UInt8>, due: ContinuousClock.Instant) {
    guard !bytes.isEmpty else { return }
    let earliest = pieces.last?.due ?? due
    pieces.append(Piece(bytes: Array(bytes), due: max(earliest, due)))
    count += bytes.count
  }

  /// Notes the end of the stream.
  mutating func end() { hasEnded = true }

  /// Drops what is there and ends the stream.
  mutating func cut() {
    self = RelayFlow()
    hasEnded = true
  }

  /// Makes everything due at once.
  mutating func release(at now: ContinuousClock.Instant) {
    for index in first..<pieces.count { pieces[index].due = min(pieces[index].due, now) }
  }

  /// Writes what is due to `socket` as far as it takes it.
  ///
  /// - Throws: ``TestSupportError`` with code `closed`.
  mutating func write(to socket: Socket, at now: ContinuousClock.Instant) throws {
    while let due = nextDue, due <= now {
      let rest = pieces[first].bytes[written...]
      let taken = try socket.writeAvailable(rest)
      written += taken
      count -= taken
      guard taken == rest.count else { return }
      first += 1
      written = 0
      if first == pieces.count {
        pieces.removeAll(keepingCapacity: true)
        first = 0
      }
    }
  }
}

/// The point in a connection's replies after which none passes.
enum RelayReplyGate {
  /// All replies pass.
  case open
  /// Replies pass until the limit is reached.
  case counting(RESPReader, passed: Int, limit: RelayConduct.ReplyLimit)
  /// No reply passes.
  case shut

  /// For a connection that is made under a conduct.
  init(limit: RelayConduct.ReplyLimit?) {
    self = if let limit { .counting(RESPReader(), passed: 0, limit: limit) } else { .open }
  }

  /// Whether no reply passes.
  var isShut: Bool {
    if case .shut = self { true } else { false }
  }

  /// Takes bytes of replies and returns how many of them, from the first one on, may pass.
  ///
  /// - Throws: ``TestSupportError`` with code `malformed`.
  mutating func admit(_ bytes: [UInt8]) throws -> Int {
    switch self {
    case .open: return bytes.count
    case .shut: return 0
    case .counting(var reader, var passed, let limit):
      if limit == .count(0) {
        self = .shut
        return 0
      }
      reader.append(bytes)
      while let reply = try reader.next() {
        passed += 1
        let isLast =
          switch limit {
          case .count(let count): passed == count
          case .through(let last): reply == last
          }
        if isLast {
          self = .shut
          return bytes.count - reader.rest.count
        }
      }
      self = .counting(reader, passed: passed, limit: limit)
      return bytes.count
    }
  }
}
