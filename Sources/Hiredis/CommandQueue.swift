internal import DequeModule
internal import RESP

/// A command that has no reply yet.
struct QueuedCommand: ~Copyable {
  /// The reason why a command is not sent, although it is ordered with the others.
  enum Refusal {
    case tooManyCommands, tooManyBytes

    /// Returns the failure that the sender gets.
    func failure(_ limits: ConnectionLimits) -> ConnectionFailure {
      switch self {
      case .tooManyCommands: .queueFull(limit: limits.maxQueuedCommands)
      case .tooManyBytes: .queueFull(limit: limits.maxQueuedBytes)
      }
    }
  }

  let receiver: any ReplyReceiver
  let token: Int
  /// The time when the context got the command, in nanoseconds of the loop's clock.
  var sentAt: UInt64
  /// The length of a command that may be held back, in bytes.
  let heldByteCount: Int
  var refusal: Refusal?
  /// Whether it has a deadline, and the connection's delegate is notified of its outcome.
  let isCounted: Bool
}

/// The commands of a connection that have no reply yet, in the order of the sends.
///
/// From the front: the commands that the context has got, of which only the receiver is kept; then those that are held
/// back, with their bytes. Refused ones may be anywhere among them, so that their senders are notified in order; they
/// count towards no limit.
struct CommandQueue: ~Copyable {
  /// The capacity that is kept for held back commands once they are gone, in bytes.
  private static let keptHeldCapacity = 64 * 1024

  private let limits: ConnectionLimits
  private var commands = UniqueDeque<QueuedCommand>()
  private var handedCount = 0
  private var refusedCount = 0
  private var held = ByteBuffer()

  init(limits: ConnectionLimits) {
    self.limits = limits
  }

  /// The number of commands without a reply, except refused ones.
  var count: Int { commands.count - refusedCount }

  /// Whether there is no command, not even a refused one.
  var isEmpty: Bool { commands.isEmpty }

  /// Whether commands wait here for the context to take them.
  var holdsCommands: Bool { handedCount < commands.count }

  /// Whether the context has got commands that have no reply yet.
  var hasHandedOver: Bool { handedCount > 0 }

  /// The bytes of commands that wait here.
  var heldBytes: Int { held.count }

  /// The oldest command that counts, whose sender waits for a reply; nil if none does.
  var oldestCounted: (sentAt: UInt64, isHandedOver: Bool)? {
    for index in commands.indices where commands[index].isCounted {
      return (commands[index].sentAt, index < handedCount)
    }
    return nil
  }

  /// The time when the context got the oldest of its commands that counts, in nanoseconds of the loop's clock; nil if
  /// none does.
  var oldestSentAt: UInt64? {
    guard let oldestCounted, oldestCounted.isHandedOver else { return nil }
    return oldestCounted.sentAt
  }

  /// Returns nil if there is room for another command of `byteCount` bytes; `unwrittenBytes` wait elsewhere already.
  @inline(__always)
  func refusal(ofBytes byteCount: Int, unwrittenBytes: Int) -> QueuedCommand.Refusal? {
    if count >= limits.maxQueuedCommands { return .tooManyCommands }
    if heldBytes + unwrittenBytes + byteCount > limits.maxQueuedBytes { return .tooManyBytes }
    return nil
  }

  /// Adds a command that the context has got already, or one that was refused.
  ///
  /// - Precondition: for a command that the context has got, no commands are held back.
  @inline(__always)
  mutating func append(_ command: consuming QueuedCommand) {
    if command.refusal != nil { refusedCount += 1 }
    if handedCount == commands.count { handedCount += 1 }
    commands.append(command)
  }

  /// Adds `count` commands of one receiver that the context has got already, with tokens that are `tokenStep` apart.
  ///
  /// - Precondition: no commands are held back.
  @inline(__always)
  mutating func append(_ count: Int, of receiver: any ReplyReceiver, token: Int, tokenStep: Int, sentAt: UInt64) {
    commands.reserveCapacity(commands.count + count)
    for index in 0..<count {
      commands.append(
        QueuedCommand(
          receiver: receiver,
          token: token + index * tokenStep,
          sentAt: sentAt,
          heldByteCount: 0,
          refusal: nil,
          isCounted: true
        )
      )
    }
    handedCount = commands.count
  }

  /// Adds a command that is held back with its bytes.
  mutating func hold(_ command: consuming QueuedCommand, bytes: Span<UInt8>) {
    commands.append(command)
    held.append(bytes)
  }

  /// Offers held back commands to `take`, one after the other, until it returns false.
  mutating func handOver(now: UInt64, _ take: (Span<UInt8>) -> Bool) {
    while holdsCommands {
      if commands[handedCount].refusal == nil {
        let byteCount = commands[handedCount].heldByteCount
        guard take(held.span.extracting(0..<byteCount)) else { return }
        commands[handedCount].sentAt = now
        held.removeFirst(byteCount)
      }
      handedCount += 1
    }
    held.removeAll(keepingCapacityUpTo: Self.keptHeldCapacity)
  }

  /// Removes and returns the command that a reply belongs to; nil when the context has none.
  @inline(__always)
  mutating func popAnswered() -> QueuedCommand? {
    guard handedCount > 0 else { return nil }
    handedCount -= 1
    return commands.popFirst()
  }

  /// Removes and returns the command at the front if it was refused.
  @inline(__always)
  mutating func popRefused() -> QueuedCommand? {
    guard refusedCount > 0, commands[0].refusal != nil else { return nil }
    refusedCount -= 1
    if handedCount > 0 { handedCount -= 1 }
    return commands.popFirst()
  }

  /// Removes all commands in order, and passes each to `body` with whether the context has got it.
  mutating func removeAll(_ body: (borrowing QueuedCommand, _ wasHandedOver: Bool) -> Void) {
    var all = UniqueDeque<QueuedCommand>()
    swap(&all, &commands)
    var handedLeft = handedCount
    handedCount = 0
    refusedCount = 0
    held.removeAll(keepingCapacityUpTo: Self.keptHeldCapacity)
    while let command = all.popFirst() {
      body(command, handedLeft > 0)
      handedLeft -= 1
    }
  }
}
