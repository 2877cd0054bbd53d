internal import EventLoop
internal import Hiredis
internal import RESP

/// How a re-check ended: the label `outcome`.
enum RecheckOutcome: String, CaseIterable {
  /// The replies still differ.
  case persistent
  /// The other store still lacks the key.
  case gap
  /// They no longer do.
  case resolved
  /// One of the keys was changed meanwhile in a way whose order on both stores is not known, each time.
  case disturbed
  /// A store failed, or the flags changed.
  case abandoned
  /// Too many reads were waiting already.
  case overflow
}

/// A read whose replies differed, as what is needed to ask once more.
struct DifferentRead {
  let command: [UInt8]
  let spec: CommandSpec
  let routing: Routing
  /// When to ask, by the loop's clock in nanoseconds.
  var due: UInt64
  var attempts = 0
}

/// Asks both stores once more for reads whose replies differed, one after the other. Loop-confined.
///
/// The other store is asked when the default store has answered, as with a copy: the read then has the same place among
/// the writes on both, so that a write under way can't make a difference. Each is asked besides how many of the keys it
/// has, which the reply does not always show. What has no such place (keys that are copied whole, and what comes over
/// other connections) is noted while a re-check is under way, and it is done over.
final class DiffRechecks: ReplyReceiver {
  /// How long after the difference a read is asked again. By then the copies of writes that were under way are done,
  /// unless a store is so slow that it is seen elsewhere.
  static let delay = Duration.milliseconds(500)
  /// Reads that wait to be asked again; more differences than that are not explained by chance.
  static let limit = 1000
  /// The longest command that is kept for it; with ``limit`` that bounds the memory.
  static let longestCommand = 16 << 10
  /// How often a read is asked while its keys are being changed, before that is given up.
  static let maxAttempts = 3

  private static let defaultToken = 0
  private static let otherToken = 1
  private static let defaultPresenceToken = 2
  private static let otherPresenceToken = 3
  private static let delayNanoseconds: UInt64 = 500_000_000

  // The instance owns this.
  private unowned let database: Database
  private let timer: LoopTimer
  /// In the order in which they are due.
  private var waiting: [DifferentRead] = []
  /// The one that was sent and is not decided.
  private(set) var current: DifferentRead?
  private var isDisturbed = false
  private var defaultReply = ByteBuffer()
  private var otherReply = ByteBuffer()
  /// How the replies to the current read differ, by themselves; nil if they do not.
  private var kindByReplies: DiffKind?
  /// How many of its keys the default store has; nil if it did not say.
  private var presentKeys: Int?

  init(of database: Database) {
    self.database = database
    timer = LoopTimer(on: database.loop) { [unowned database] in database.rechecks?.proceed() }
  }

  /// A read's replies differed: they are compared again after ``delay``.
  func add(_ command: Span<UInt8>, _ spec: CommandSpec, routing: Routing) {
    guard waiting.count < Self.limit, command.count <= Self.longestCommand else { return count(.overflow) }
    wait(DifferentRead(command: command.array, spec: spec, routing: routing, due: 0))
  }

  /// The replies to the command at `index` of a pipeline or a transaction differed.
  func add(_ batch: CommandBatch, _ index: Int, routing: Routing) {
    batch.withCommand(index) { add($0, batch.spec(index), routing: routing) }
  }

  /// The keys of `command` change in a way that has no certain place in the order of writes.
  func noteChange(ofKeysIn command: Span<UInt8>, _ spec: CommandSpec) {
    guard current != nil, !isDisturbed else { return }
    spec.forEachKey(ofCommand: command) { noteChange(of: $0) }
  }

  /// The same for one key.
  func noteChange(of key: Span<UInt8>) {
    guard let current, !isDisturbed else { return }
    let command = current.command
    isDisturbed = current.spec.hasKey(ofCommand: command.span) { $0.hasSameBytes(as: key) }
  }

  func close() {
    timer.close()
    waiting = []
  }

  private func wait(_ read: DifferentRead) {
    var read = read
    read.due = database.loop.now + Self.delayNanoseconds
    waiting.append(read)
    if waiting.count == 1, current == nil { timer.schedule(after: Self.delay) }
  }

  /// Asks for the first of those that wait, once it is due.
  private func proceed() {
    while current == nil, let next = waiting.first {
      let now = database.loop.now
      guard next.due <= now else { return timer.schedule(after: .nanoseconds(Int64(next.due - now))) }
      waiting.removeFirst()
      ask(next)
    }
  }

  private func ask(_ read: DifferentRead) {
    // With another routing the other store may have missed writes, which says nothing about the copying.
    guard isInForce(read.routing) else { return count(.abandoned) }
    current = read
    current?.attempts += 1
    let command = read.command
    isDisturbed = database.pendingDumps.hasKey(of: command.span, read.spec)
    send(to: read.routing.defaultStore, token: Self.defaultToken, presenceToken: Self.defaultPresenceToken)
  }

  /// Sends the read and the question for its keys, which no command of another client comes between.
  private func send(to role: StoreRole, token: Int, presenceToken: Int) {
    guard let current else { return }
    let command = current.command
    let connection = database.store(role).ordinary
    var question = ByteBuffer()
    let keyCount = PresenceQuestion.write(about: command.span, current.spec, into: &question)
    guard keyCount > 0, connection.hasRoom(commands: 2, bytes: command.count + question.count) else {
      return decide(.abandoned)
    }
    connection.send(command.span, to: self, token: token)
    question.withSpan { connection.send($0, to: self, token: presenceToken) }
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    guard let read = current else { return }
    switch token {
    case Self.defaultToken:
      defaultReply.removeAll()
      reply.encode(into: &defaultReply)
    case Self.defaultPresenceToken:
      presentKeys = reply.kind == .integer ? reply.integer : nil
      send(to: read.routing.defaultStore.other, token: Self.otherToken, presenceToken: Self.otherPresenceToken)
    case Self.otherToken:
      compare(reply, read)
    default:
      judge(read, otherPresentKeys: reply.kind == .integer ? reply.integer : nil)
    }
    proceed()
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if current != nil { decide(.abandoned) }
    proceed()
  }

  private func compare(_ reply: borrowing Reply, _ read: DifferentRead) {
    otherReply.removeAll()
    reply.encode(into: &otherReply)
    let reply = copy reply
    let comparer = ReplyComparer(mode: database.configuration.comparison)
    let command = read.command
    kindByReplies = defaultReply.withSpan { first in
      otherReply.withSpan { second in
        if comparer.areEqual(read.spec.comparison, first, second) { return nil }
        return DiffKind(of: read.spec, command.span, reply, otherReply: second, defaultReply: first)
      }
    }
  }

  private func judge(_ read: DifferentRead, otherPresentKeys: Int?) {
    guard var kind = kindByReplies else { return decide(.resolved) }
    if let presentKeys, let otherPresentKeys {
      // Of several keys MGET alone tells for each whether it is absent.
      let isGap = otherPresentKeys < presentKeys && (read.spec.id != .mget || kind == .gap)
      kind = isGap ? .gap : .mismatch
    }
    if !isInForce(read.routing) {
      decide(.abandoned)
    } else if !isDisturbed {
      database.reporter.differsPersistently(read, kind, defaultReply.bytes, otherReply.bytes)
      decide(kind == .gap ? .gap : .persistent)
    } else if read.attempts < Self.maxAttempts {
      current = nil
      wait(read)
    } else {
      decide(.disturbed)
    }
  }

  private func isInForce(_ routing: Routing) -> Bool {
    let flip = database.instance.routingState.flip
    return flip.isSettled && flip.current == routing && flip.flags == database.instance.flags.state
  }

  private func decide(_ outcome: RecheckOutcome) {
    current = nil
    defaultReply.removeAll(keepingCapacityUpTo: Execution.keptCapacity)
    otherReply.removeAll(keepingCapacityUpTo: Execution.keptCapacity)
    count(outcome)
  }

  private func count(_ outcome: RecheckOutcome) {
    database.metrics.rechecked(outcome)
  }
}
