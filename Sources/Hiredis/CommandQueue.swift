internal import DequeModule
internal import RESP

/// A command that has no reply yet.
struct QueuedCommand {
  /// Why a command is not sent, although it has its place in the order.
  enum Refusal {
    case tooManyCommands, tooManyBytes
    /// hiredis does not take it.
    case notAccepted

    /// The failure that this is for whoever sent the command.
    func failure(_ limits: ConnectionLimits) -> ConnectionFailure {
      switch self {
      case .tooManyCommands: .queueFull(limit: limits.maxQueuedCommands)
      case .tooManyBytes: .queueFull(limit: limits.maxQueuedBytes)
      case .notAccepted: .notConnected(reason: "this command needs a connection of its own")
      }
    }
  }

  var receiver: any ReplyReceiver
  var token: Int
  /// Nanoseconds of the loop's clock when hiredis got the command.
  var sentAt: UInt64
  /// Length of the command.
  var byteCount: Int
  var refusal: Refusal?
  /// It has a deadline, and the connection's delegate hears of its outcome.
  var isCounted = true
}

/// The commands of a connection that have no reply yet, in the order of the sends.
///
/// From the front: those that hiredis has got, of which only the receiver is remembered; then those that are held back,
/// whose bytes are here too. Refused ones stand anywhere between them, so that they are told in their turn; they count
/// for no limit.
struct CommandQueue: ~Copyable {
  /// Bytes that hiredis is offered at once. A larger command goes in pieces, since hiredis moves all that it holds each
  /// time that a part of it was written.
  static let pieceSize = 1024 * 1024

  /// What hiredis is offered.
  enum Piece {
    /// A command, or its beginning.
    case first
    /// What follows in the same command.
    case more
  }

  /// What became of a piece that was offered to hiredis.
  enum HandOver {
    case taken
    /// Not now.
    case full
    case notAccepted
  }

  /// Memory for held back commands that is kept once they are gone.
  private static let keptHeldCapacity = 64 * 1024

  private let limits: ConnectionLimits
  private var commands: Deque<QueuedCommand> = []
  private var handedCount = 0
  private var refusedCount = 0
  private var held = ByteBuffer()
  /// How many of the held bytes belong to a command of which hiredis has got the beginning, and which counts as handed
  /// over: a store may answer before it has read all.
  private var unfinishedBytes = 0

  init(limits: ConnectionLimits) {
    self.limits = limits
  }

  /// Commands without a reply, the refused ones not counted.
  var count: Int { commands.count - refusedCount }

  /// Whether nothing has its place in the order, not even a refused command.
  var isEmpty: Bool { commands.isEmpty }

  /// Whether commands, or the rest of one, wait here for hiredis to take them.
  var holdsCommands: Bool { handedCount < commands.count || unfinishedBytes > 0 }

  /// Bytes of commands that wait here.
  var heldBytes: Int { held.count }

  /// When hiredis got the oldest command that it has and that counts; nil if it has none.
  var oldestSentAt: UInt64? { commands.prefix(handedCount).first { $0.isCounted }?.sentAt }

  /// Nil when there is room for another command of so many bytes; `unwrittenBytes` are elsewhere already.
  func refusal(ofBytes byteCount: Int, unwrittenBytes: Int) -> QueuedCommand.Refusal? {
    if count >= limits.maxQueuedCommands { return .tooManyCommands }
    if heldBytes + unwrittenBytes + byteCount > limits.maxQueuedBytes { return .tooManyBytes }
    return nil
  }

  /// Adds a command that hiredis has got already, or one that was refused.
  ///
  /// - Precondition: for a command that hiredis has got, no commands are held back.
  @inline(__always)
  mutating func append(_ command: QueuedCommand) {
    if command.refusal != nil { refusedCount += 1 }
    if handedCount == commands.count { handedCount += 1 }
    commands.append(command)
  }

  /// Adds a command that is held back with its bytes.
  mutating func hold(_ command: QueuedCommand, bytes: Span<UInt8>) {
    commands.append(command)
    held.append(bytes)
  }

  /// Offers held back commands to `take`, piece by piece, until it has enough of them.
  mutating func handOver(now: UInt64, _ take: (Piece, Span<UInt8>) -> HandOver) {
    while holdsCommands {
      if unfinishedBytes > 0 {
        let size = min(unfinishedBytes, Self.pieceSize)
        guard case .taken = take(.more, held.span.extracting(0..<size)) else { return }
        held.removeFirst(size)
        unfinishedBytes -= size
        continue
      }
      if commands[handedCount].refusal == nil {
        let byteCount = commands[handedCount].byteCount
        let size = min(byteCount, Self.pieceSize)
        switch take(.first, held.span.extracting(0..<size)) {
        case .taken:
          commands[handedCount].sentAt = now
          held.removeFirst(size)
          unfinishedBytes = byteCount - size
        case .full:
          return
        case .notAccepted:
          commands[handedCount].refusal = .notAccepted
          refusedCount += 1
          held.removeFirst(byteCount)
        }
      }
      handedCount += 1
    }
    held.removeAll(keepingCapacityUpTo: Self.keptHeldCapacity)
  }

  /// Takes out the command that a reply belongs to; nil when hiredis has none.
  @inline(__always)
  mutating func popAnswered() -> QueuedCommand? {
    guard handedCount > 0 else { return nil }
    handedCount -= 1
    return commands.popFirst()
  }

  /// Takes out the command at the front if it was refused.
  @inline(__always)
  mutating func popRefused() -> QueuedCommand? {
    guard refusedCount > 0, commands.first?.refusal != nil else { return nil }
    refusedCount -= 1
    if handedCount > 0 { handedCount -= 1 }
    return commands.popFirst()
  }

  /// Takes out all commands in order, each with whether hiredis has got it.
  mutating func removeAll() -> [(command: QueuedCommand, wasHandedOver: Bool)] {
    let all = commands.enumerated().map { (command: $1, wasHandedOver: $0 < handedCount) }
    commands = []
    handedCount = 0
    refusedCount = 0
    unfinishedBytes = 0
    held.removeAll(keepingCapacityUpTo: Self.keptHeldCapacity)
    return all
  }
}
