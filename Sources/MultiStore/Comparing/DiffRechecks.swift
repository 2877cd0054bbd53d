internal import EventLoop
internal import Hiredis
internal import RESP

/// The outcome of a re-check: the label `outcome`.
enum RecheckOutcome: String, CaseIterable {
  /// The replies still differ.
  case persistent
  /// The other store still lacks the key.
  case gap
  /// The replies no longer differ.
  case resolved
  /// In each attempt one of the keys was changed meanwhile in a way whose order on both stores is not known.
  case disturbed
  /// A store failed, or the flags changed.
  case abandoned
  /// Too many reads were waiting already.
  case overflow
}

/// A read whose replies differed, with the data for asking again.
struct DifferentRead {
  let command: [UInt8]
  let spec: CommandSpec
  let routing: Routing
  /// The time of the next attempt, by the loop's clock in nanoseconds.
  var due: UInt64
  var attempts = 0
}

/// Repeats reads whose replies differed on both stores, one after the other. Loop-confined.
///
/// The other store is asked when the default store has answered, as with a copy: the read is then ordered alike among
/// the writes on both, so that a write in flight can't make a difference. Each store is also asked for the number of
/// the keys that it has, which the reply does not always show. Changes without such an order (keys that are copied
/// whole, and commands over other connections) are noted while a re-check is in flight, which is repeated then.
final class DiffRechecks: ReplyReceiver {
  /// The time from a difference to the re-check. By then the copies of writes that were in flight are done, unless a
  /// store is so slow that other metrics show it.
  static let delay = Duration.milliseconds(500)
  /// The most reads that wait for a re-check; more differences than that are not explained by chance.
  static let limit = 1000
  /// The longest command that is kept for a re-check, in bytes; together with ``limit`` it bounds the memory.
  static let longestCommand = 16 << 10
  /// The most attempts for a read whose keys are changed meanwhile.
  static let maxAttempts = 3

  private static let defaultToken = 0
  private static let otherToken = 1
  private static let defaultPresenceToken = 2
  private static let otherPresenceToken = 3
  private static let delayNanoseconds: UInt64 = 500_000_000

  // The database owns this.
  private unowned let database: Database
  private let timer: LoopTimer
  /// The waiting reads, in the order in which they are due.
  private var waiting: [DifferentRead] = []
  /// The read whose re-check is in flight.
  private(set) var current: DifferentRead?
  private var isDisturbed = false
  private var defaultReply = ByteBuffer()
  private var otherReply = ByteBuffer()
  /// The kind of the difference by the replies to the current read alone; nil if they are equal.
  private var kindByReplies: DiffKind?
  /// The number of its keys that the default store has; nil if unknown.
  private var presentKeys: Int?

  init(of database: Database) {
    self.database = database
    timer = LoopTimer(on: database.loop) { [unowned database] in database.rechecks?.proceed() }
  }

  /// Schedules a re-check of a read whose replies differed, after ``delay``.
  func add(_ command: Span<UInt8>, _ spec: CommandSpec, routing: Routing) {
    guard waiting.count < Self.limit, command.count <= Self.longestCommand else { return count(.overflow) }
    wait(DifferentRead(command: command.array, spec: spec, routing: routing, due: 0))
  }

  /// Schedules a re-check of the command at `index` of a pipeline or a transaction, whose replies differed.
  func add(_ batch: CommandBatch, _ index: Int, routing: Routing) {
    batch.withCommand(index) { add($0, batch.spec(index), routing: routing) }
  }

  /// Notes that the keys of `command` change in a way that is not ordered with the writes.
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

  /// Starts the re-check of the first waiting read, once it is due.
  private func proceed() {
    while current == nil, let next = waiting.first {
      let now = database.loop.now
      guard next.due <= now else { return timer.schedule(after: .nanoseconds(Int64(next.due - now))) }
      waiting.removeFirst()
      ask(next)
    }
  }

  private func ask(_ read: DifferentRead) {
    // With another routing the other store may have missed writes, which is no failure of the copying.
    guard isInForce(read.routing) else { return count(.abandoned) }
    current = read
    current?.attempts += 1
    let command = read.command
    isDisturbed = database.pendingDumps.hasKey(of: command.span, read.spec)
    send(to: read.routing.defaultStore, token: Self.defaultToken, presenceToken: Self.defaultPresenceToken)
  }

  /// Sends the read and the question about its keys; no command of another client comes between them.
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
      // Of the commands with several keys, only MGET's reply shows which are absent.
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
    defaultReply.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    otherReply.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    count(outcome)
  }

  private func count(_ outcome: RecheckOutcome) {
    database.metrics.rechecked(outcome)
  }
}
