internal import EventLoop
internal import Hiredis
internal import RESP

/// Compares one key that is too large for a digest, or whose stores refuse scripts, by reading it in pieces.
/// Loop-confined; the stores' connections retain it.
///
/// A write between two pieces may make it look different. So the result has a digest of what was read from the default
/// store, by which the next look finds out that the value has changed. Of the entries that a group has not
/// acknowledged their number is compared for each consumer; ``KeyDigest`` compares all of them.
final class PieceComparison: ReplyReceiver {
  private static let sourceToken = 0
  private static let targetToken = 1

  /// The answer that is awaited.
  private enum Step {
    case type, expiry, size, piece, detail
  }

  private unowned let database: Database
  private let key: [UInt8]
  private let source: Store
  private let target: Store
  private let then: (ComparedKey) -> Void
  private var step = Step.type
  private var type = ""
  private var expiry = -1
  private var size = 0
  private var pieces: KeyPieces?
  private var piece: [[UInt8]] = []
  /// The details of the piece that are not compared, the next one last.
  private var details: [KeyDetail] = []
  /// The default store's facts of the next one.
  private var facts: [[UInt8]] = []
  private var hasher = Hasher()
  private var hasEnded = false

  /// - Parameter then: called once.
  init(of key: [UInt8], in database: Database, then: @escaping (ComparedKey) -> Void) {
    self.database = database
    self.key = key
    self.then = then
    source = database.defaultStore
    target = database.store(source.role.other)
  }

  func begin() { ask(source, named: "TYPE") }

  func receive(_ reply: borrowing Reply, token: Int) {
    guard !hasEnded else { return }
    guard source.isDefault else { return end(.failed) }
    if reply.kind == .error { return end(reply.knownErrorCode == .noPermission ? .unknown : .failed) }
    switch step {
    case .type: receiveType(reply, token)
    case .expiry: receiveExpiry(reply, token)
    case .size: receiveSize(reply, token)
    case .piece: receivePiece(reply, token)
    case .detail: receiveDetail(reply, token)
    }
  }

  func receive(failure: ConnectionFailure, token: Int) { end(.failed) }

  private func receiveType(_ reply: borrowing Reply, _ token: Int) {
    let found = String(decoding: reply.bytes.array, as: UTF8.self)
    if token == Self.sourceToken {
      type = found
      return ask(target, named: "TYPE")
    }
    guard found == type else { return end(.different, found: found) }
    guard type != "none" else { return end(.equal) }
    step = .expiry
    ask(source, named: "PTTL")
  }

  private func receiveExpiry(_ reply: borrowing Reply, _ token: Int) {
    let now = Int(database.loop.wallClockMilliseconds)
    let found = reply.integer < 0 ? -1 : reply.integer.addingSaturated(now)
    if token == Self.sourceToken {
      expiry = found
      return ask(target, named: "PTTL")
    }
    switch digest(expiry).compared(to: digest(found), now: now) {
    case .expiring: return end(.disturbed)
    case .different: return end(.different, foundExpiry: found)
    case .equal, .unknown: break
    }
    guard let kind = KeyPieces.Kind(rawValue: type) else { return end(.unknown) }
    let pieces = KeyPieces(kind, of: key)
    self.pieces = pieces
    step = .size
    send(pieces.sizeQuestion, to: source)
  }

  private func receiveSize(_ reply: borrowing Reply, _ token: Int) {
    guard let pieces else { return }
    if token == Self.sourceToken {
      size = reply.integer
      hasher.combine(size)
      return send(pieces.sizeQuestion, to: target)
    }
    guard reply.integer == size else { return end(.different) }
    step = .piece
    send(pieces.sourceQuestion, to: source)
  }

  private func receivePiece(_ reply: borrowing Reply, _ token: Int) {
    guard let asked = pieces else { return }
    if token == Self.sourceToken {
      piece = asked.piece(reply)
      hasher.combine(piece)
      pieces?.advance(by: reply, size: size)
      // The other store is asked for the piece that was just read.
      guard let question = asked.targetQuestion(for: piece) else { return next() }
      return send(question, to: target)
    }
    guard asked.agrees(piece, reply) else { return end(.different) }
    details = asked.details(of: piece).filter(mayAsk).reversed()
    next()
  }

  private func receiveDetail(_ reply: borrowing Reply, _ token: Int) {
    guard let detail = details.last else { return }
    let found = detail.facts(reply)
    if token == Self.sourceToken {
      facts = found
      hasher.combine(found)
      return send(detail.question(about: key), to: target)
    }
    guard found == facts else { return end(.different) }
    details.removeLast()
    details += detail.following(found)
    next()
  }

  /// Asks for the next detail or piece, if there is one.
  private func next() {
    guard let pieces else { return }
    if let detail = details.last {
      step = .detail
      return send(detail.question(about: key), to: source)
    }
    guard !pieces.isAtEnd else { return end(.equal) }
    step = .piece
    send(pieces.sourceQuestion, to: source)
  }

  /// Fields expire on newer servers alone.
  private func mayAsk(for detail: KeyDetail) -> Bool {
    guard case .expiry = detail else { return true }
    return source.server.hasFieldExpiry && target.server.hasFieldExpiry
  }

  private func end(_ outcome: KeyComparisonOutcome, found: String? = nil, foundExpiry: Int? = nil) {
    guard !hasEnded else { return }
    hasEnded = true
    let key = key
    let expected = digest(expiry)
    let isAwaited = target.isAwaited(key.span) || source.isAwaited(key.span)
    then(
      ComparedKey(
        key: key,
        outcome: isAwaited && outcome == .different ? .disturbed : outcome,
        expected: expected,
        found: KeyDigest(
          type: found ?? type,
          size: size,
          digest: foundExpiry == nil ? "different" : expected.digest,
          expiry: foundExpiry ?? expiry
        )
      )
    )
  }

  private func digest(_ expiry: Int) -> KeyDigest {
    KeyDigest(type: type, size: size, digest: String(hasher.finalize(), radix: 16), expiry: expiry)
  }

  private func ask(_ store: Store, named name: StaticString) {
    store.send(name, key, to: self, token: token(of: store))
  }

  private func send(_ command: [UInt8], to store: Store) {
    store.ordinary.send(command.span, to: self, token: token(of: store))
  }

  private func token(of store: Store) -> Int { store === source ? Self.sourceToken : Self.targetToken }
}
