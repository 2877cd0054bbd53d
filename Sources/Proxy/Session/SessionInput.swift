internal import RESP

/// A client's input that is not executed yet: the bytes that have arrived, the parser's place among them, a large
/// command that was detached with its memory, and the command that is skipped because there is no memory for it.
///
/// A class, so that its bytes can be lent to the session while the parser moves on. Confined to the instance's loop.
final class SessionInput {
  /// A command of this size is sent in the memory in which it arrived, and stays in the input until its connection is
  /// not congested, instead of being copied and waiting there.
  static let largeCommandBytes = 64 << 10
  /// The memory that is reserved at once for a command of known length, or as much as has arrived of it if that is
  /// more: announcing a length costs a client nothing, so the length alone reserves no more.
  private static let reservedBytes = 16 << 20
  /// The most that is read at once of a large command whose beginning has arrived, so that other clients of the loop
  /// have their turn.
  private static let directReadBytes = 256 << 10

  /// The progress of one pass over the input.
  struct Progress {
    /// The number of bytes consumed.
    var consumed = 0
    /// The length of the large command behind them, which is to be detached before the next pass; 0 if the pass ended
    /// for another reason.
    var largeLength = 0
  }

  /// The progress of the refusal of a command that has not arrived whole.
  private enum Refusal: Equatable {
    case none
    /// The error is sent after the replies to the commands before, and what arrives of the command is skipped.
    case due
    /// The same once all of the command is skipped: the bytes that follow are the next command.
    case dueAtEnd
    /// The error is sent, and the rest is skipped.
    case answered
    /// The input has turned out to be invalid before the error was sent, which is this one then.
    case invalid(ProtocolError)
  }

  /// The outcome of skipping input.
  struct Skip: Equatable {
    /// The number of bytes consumed.
    var consumed = 0
    /// Whether the refused command is to be answered with its error now.
    var isAnswerDue = false
    /// The error, if the bytes after it can't be trusted.
    var error: ProtocolError?
  }

  private var buffer = ByteBuffer()
  private var parser: CommandParser
  private var refusal = Refusal.none
  private let spares: SpareBuffers
  /// A whole command that preceded the other bytes, and was detached from them with its memory.
  private(set) var largeCommand: SharedBytes?

  /// - Parameter spares: Provides memory for large commands and gets it back.
  init(limits: ParserLimits, spares: SpareBuffers) {
    parser = CommandParser(limits: limits)
    self.spares = spares
  }

  /// The number of bytes that are kept here.
  var count: Int { buffer.count + (largeCommand?.count ?? 0) }

  /// The least length of the incomplete command, as far as it is known, in bytes; 0 if all of it has arrived.
  var knownLength: Int { parser.knownLength }

  /// The limits of the parser, which apply from the next argument on.
  var limits: ParserLimits {
    get { parser.limits }
    set { parser.limits = newValue }
  }

  /// The last inline command, as an array of bulk strings.
  var inlineCommand: [UInt8] { parser.inlineCommand }

  /// Returns the first outcome in `bytes`, of which those before the parser's place were parsed already.
  @inline(__always)
  func parse(_ bytes: Span<UInt8>) -> CommandParser.Outcome { parser.parse(bytes) }

  /// See ``CommandParser/joinQuotedParts()``.
  func joinQuotedParts() -> Bool { parser.joinQuotedParts() }

  /// Whether a command is sent in the memory in which it arrived. The bytes after it have to be copied then, so they
  /// must not be more.
  ///
  /// - Parameter available: The bytes from the command's beginning on.
  @inline(__always)
  func isToBeDetached(_ command: CommandParser.Command, of available: Int) -> Bool {
    command.length >= Self.largeCommandBytes && largeCommand == nil && !command.isInline
      && available <= 2 * command.length
  }

  /// Lends the kept bytes to `body`, which takes commands from them, and removes those that it has taken.
  ///
  /// - Returns: whether there may be more to take.
  func take(_ body: (Span<UInt8>) -> Progress) -> Bool {
    if let largeCommand {
      guard largeCommand.withSpan({ body($0) }).consumed > 0 else { return false }
      self.largeCommand = nil
      return true
    }
    let progress = buffer.withSpan { body($0) }
    buffer.removeFirst(progress.consumed)
    guard progress.largeLength > 0 else { return progress.consumed > 0 }
    largeCommand = SharedBytes(buffer.detachFirst(progress.largeLength), spares: spares)
    return true
  }

  /// Keeps bytes that could not be executed yet.
  ///
  /// - Parameters:
  ///   - mayReserve: Whether memory may be reserved for all of the incomplete command.
  ///   - readRoom: The most bytes that `read` may read.
  ///   - read: Reads what has arrived of a large command's rest, without a copy.
  /// - Returns: the number of bytes that `read` has read.
  func keep(
    _ bytes: Span<UInt8>,
    mayReserve: Bool,
    readRoom: @autoclosure () -> Int,
    read: (inout OutputSpan<UInt8>) -> Void
  ) -> Int {
    let missing = parser.knownLength - buffer.count
    guard missing > bytes.count, mayReserve else {
      buffer.append(bytes)
      return 0
    }
    let isLarge = parser.knownLength >= Self.largeCommandBytes
    if buffer.capacity < buffer.count + bytes.count {
      let room = min(missing, max(Self.reservedBytes, buffer.count))
      if isLarge { spares.reserve(room, in: &buffer) } else { buffer.reserve(room) }
    }
    buffer.append(bytes)
    guard isLarge else { return 0 }
    // Nothing but the rest of the command can be read.
    let room = min(missing - bytes.count, Self.directReadBytes, readRoom())
    guard room > 0 else { return 0 }
    let before = buffer.count
    buffer.append(upTo: room, read)
    return buffer.count - before
  }

  /// Returns unused memory.
  func trim() {
    if buffer.isEmpty { buffer.removeAll(keepingCapacityUpTo: 0) }
  }

  /// Drops all bytes: they will never be executed.
  func removeAll() {
    buffer.removeAll(keepingCapacityUpTo: 0)
    largeCommand = nil
  }
}

// MARK: Refusing a command that has not arrived whole

extension SessionInput {
  /// Whether a command that has not fully arrived is refused. It is skipped with ``skip(_:isNext:)`` instead of being
  /// taken.
  var isRefusing: Bool { refusal != .none }

  /// Whether a refused command has wholly arrived and is not answered yet, though no bytes may follow.
  var owesRefusal: Bool {
    switch refusal {
    case .dueAtEnd, .invalid: true
    case .none, .due, .answered: false
    }
  }

  /// Refuses the command that is arriving.
  ///
  /// - Returns: false if no command is arriving, or it is refused already.
  func refuse() -> Bool {
    guard parser.isInsideCommand, count > 0, !isRefusing else { return false }
    refusal = .due
    return true
  }

  /// Skips the refused command as far as it has arrived.
  ///
  /// - Parameter isNext: Whether the reply to this command is the next in order.
  func skip(_ bytes: Span<UInt8>, isNext: Bool) -> Skip {
    switch refusal {
    case .none, .answered: return skipRest(bytes)
    case .due where isNext:
      refusal = .answered
      var skip = skipRest(bytes)
      skip.isAnswerDue = true
      return skip
    case .due: return skipRest(bytes)
    case .dueAtEnd:
      if isNext { refusal = .none }
      return Skip(isAnswerDue: isNext)
    case .invalid(let error):
      if isNext { refusal = .none }
      return Skip(consumed: bytes.count, isAnswerDue: isNext, error: isNext ? error : nil)
    }
  }

  private func skipRest(_ bytes: Span<UInt8>) -> Skip {
    switch parser.parse(bytes) {
    case .needsMore: return Skip(consumed: parser.forgetParsed(of: bytes.count))
    case .command(let command):
      refusal = refusal == .due ? .dueAtEnd : .none
      return Skip(consumed: command.length)
    case .nothing(let length): return Skip(consumed: length)
    case .invalid(let error):
      let isAnswered = refusal != .due
      refusal = isAnswered ? .none : .invalid(error)
      return Skip(consumed: bytes.count, error: isAnswered ? error : nil)
    }
  }
}
