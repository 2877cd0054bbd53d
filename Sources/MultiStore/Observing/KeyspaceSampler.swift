internal import EventLoop
internal import Hiredis
internal import Logging
internal import RESP

/// Samples one store's number of keys, and the times to live of some of them, at intervals: an operator needs these
/// figures to decide when the new store is warm. Loop-confined.
///
/// It uses the ordinary connection, so that none is opened for it, and its commands are in no counter. It sends nothing
/// while the store is not connected, or its queue is nearly full. A store that has not answered by the next round
/// hangs, and its connection is closed after a timeout.
final class KeyspaceSampler: ReplyReceiver {
  /// The time between rounds.
  static let interval = Duration.seconds(15)
  /// The number of keys in a round, with a RANDOMKEY and a PTTL each, which are O(1).
  static let keysPerRound = 16
  /// The rounds whose keys are evaluated together: an hour. A few keys say little about the longest time to live, and a
  /// few thousand say enough.
  static let keptRounds = 240
  /// The longest key that is asked about, in bytes; with ``keysPerRound`` it bounds what is sent at once.
  static let longestKey = 4096

  private static let infoToken = 0
  private static let keyToken = 1
  private static let expiryToken = 2
  private static let infoCommand = CommandWriter.command("INFO", "keyspace")
  private static let keyCommand = CommandWriter.command("RANDOMKEY")

  /// The figures of one round's keys.
  private struct Round {
    var keys = 0
    var keysWithoutTTL = 0
    var longestTTL: Int64?
  }

  private let store: Store
  private let loop: EventLoop
  private let status: InstanceStatus
  private let countsOtherDatabases: Bool
  private let logger: Logger
  private var timer: LoopTimer?
  /// The number of replies to come in this round, which ends with the last one.
  private(set) var repliesLeft = 0
  /// The loop's clock at the beginning of the round.
  private var askedAt: UInt64 = 0
  private var figures: StoreKeyspace?
  private var round = Round()
  /// The last rounds, the oldest first.
  private var rounds: [Round] = []
  private var hasLoggedRefusal = false

  init(of store: Store, on loop: EventLoop, status: InstanceStatus, countsOtherDatabases: Bool, logger: Logger) {
    self.store = store
    self.loop = loop
    self.status = status
    self.countsOtherDatabases = countsOtherDatabases
    self.logger = logger
    let timer = LoopTimer(on: loop) { [unowned self] in begin() }
    timer.schedule(after: Self.interval, repeating: Self.interval)
    self.timer = timer
  }

  /// Begins a round, unless the store is not connected or its queue is nearly full. If the last round was not answered,
  /// no other one begins, and the figures of the store are dropped.
  func begin() {
    let connection = store.ordinary
    guard repliesLeft == 0 else {
      status.set(nil, of: store.role)
      if let timeout = connection.commandTimeout { connection.expire(after: timeout, sentAt: askedAt) }
      return
    }
    guard connection.isReady,
      connection.hasRoom(commands: 2 * Self.keysPerRound, bytes: Self.keysPerRound * Self.longestKey)
    else { return }
    askedAt = loop.now
    figures = nil
    round = Round()
    send(Self.infoCommand.span, token: Self.infoToken)
  }

  func close() {
    timer?.close()
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    repliesLeft -= 1
    switch token {
    case Self.infoToken: readFigures(reply)
    case Self.keyToken: askForExpiry(reply)
    default: note(reply)
    }
    if repliesLeft == 0 { finish() }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    repliesLeft -= 1
    figures = nil
    if repliesLeft == 0 { finish() }
  }

  private func send(_ command: Span<UInt8>, token: Int) {
    repliesLeft += 1
    store.ordinary.send(command, to: self, token: token, isCounted: false)
  }

  private func readFigures(_ reply: borrowing Reply) {
    guard reply.kind == .string else { return refused(reply) }
    let text = String(decoding: reply.bytes.array, as: UTF8.self)
    figures = StoreKeyspace(info: text, database: store.database)
    let databases = StoreKeyspace.databases(info: text)
    if countsOtherDatabases, let databases {
      figures?.keysElsewhere = databases.reduce(0) { $0.addingSaturated($1.key == store.database ? 0 : $1.value.keys) }
    }
    if figures?.keys == 0 { store.wasFoundEmpty(isWhole: databases?.isEmpty == true) }
    // A small database has fewer keys than a round: don't sample them repeatedly.
    for _ in 0..<min(figures?.keys ?? 0, Self.keysPerRound) { send(Self.keyCommand.span, token: Self.keyToken) }
  }

  private func askForExpiry(_ reply: borrowing Reply) {
    if reply.kind == .error { return refused(reply) }
    // Nil if there is no key left.
    guard reply.kind == .string, reply.bytes.count <= Self.longestKey else { return }
    var command = ByteBuffer()
    command.appendCommand(expecting: 2) { command in
      command.append("PTTL")
      command.append(reply.bytes)
    }
    send(command.span, token: Self.expiryToken)
  }

  private func note(_ reply: borrowing Reply) {
    if reply.kind == .error { return refused(reply) }
    guard reply.kind == .integer else { return }
    switch reply.integer {
    case -1:
      round.keys += 1
      round.keysWithoutTTL += 1
    case 0...:
      round.keys += 1
      round.longestTTL = max(round.longestTTL ?? 0, Int64(reply.integer))
    default: return  // The key has gone.
    }
  }

  private func finish() {
    guard var keyspace = figures else { return status.set(nil, of: store.role) }
    // The samples of a store that has become empty no longer apply.
    if keyspace.keys == 0 { rounds = [] }
    rounds.append(round)
    if rounds.count > Self.keptRounds { rounds.removeFirst() }
    keyspace.longestTTLMilliseconds = rounds.compactMap(\.longestTTL).max()
    keyspace.sampledKeys = rounds.reduce(0) { $0 + $1.keys }
    keyspace.sampledKeysWithoutTTL = rounds.reduce(0) { $0 + $1.keysWithoutTTL }
    keyspace.sampledAtMilliseconds = loop.wallClockMilliseconds
    status.set(keyspace, of: store.role)
  }

  /// Logs that the store's user lacks the permission, or that the server does not know the command. Logs it once, since
  /// each round fails alike, and ignores the errors of a busy server, which pass.
  private func refused(_ reply: borrowing Reply) {
    guard !hasLoggedRefusal, reply.knownErrorCode == .noPermission || reply.knownErrorCode == .generic else { return }
    hasLoggedRefusal = true
    logger.info(
      "How many keys the store has, and how long they live, stays unknown: it refuses to say",
      metadata: [
        "instance_name": "\(status.instanceName)", "store": "\(store.role.label)",
        "reason": "\(String(decoding: reply.bytes.array, as: UTF8.self))",
        "hint": "allow INFO, RANDOMKEY and PTTL to the store's user, or set keyspace_sampling: false",
      ]
    )
  }
}
