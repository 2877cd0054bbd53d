internal import BasicContainers
internal import Hiredis
public import RESP

/// Commands that are kept until all stores have executed them: one command, a pipeline, or the body of a transaction.
///
/// A batch has one owner; ``Database/execute(_:as:routing:over:for:)`` takes it over. Batches are reused, so that the
/// steady state allocates none.
public final class CommandBatch {
  /// One command, as a place in the batch's bytes.
  public struct Entry: Sendable {
    /// Negative for the batch's large command, which is stored separately.
    let offset: Int
    let length: Int
    /// The command's place in the table.
    public let id: CommandID
    /// The table place of the command that is in the bytes now: another one if the other store gets another command.
    let bytesID: CommandID
  }

  /// The memory that a command takes beside its bytes, here and in its execution, in bytes.
  private static let bytesPerCommand = 128
  /// The most memory that a batch keeps for its next use.
  private static let keptCapacity = 64 << 10

  /// The command table. Kept, since a command's line is read several times, and each access to the global one calls a
  /// function that checks whether it was initialized.
  private let table = CommandTable.all
  var bytes = ByteBuffer()
  /// The commands in the order they came.
  private(set) var commands = UniqueArray<Entry>()
  /// Whether all commands lie one behind the other: none was replaced.
  private var isContiguous = true
  /// A command that is alone in its batch, and in memory of its own.
  private var large: SharedBytes?

  /// A batch with no command.
  public init() {}

  /// Commands in the batch.
  public var count: Int { commands.count }

  /// Bytes of all commands.
  public var byteCount: Int { bytes.count + (large?.count ?? 0) }

  /// The memory that they take together with what an execution keeps for each, in bytes, estimated.
  public var memoryBytes: Int { byteCount + count * Self.bytesPerCommand }

  /// Whether a command runs a script, or is about scripts.
  var hasScripts: Bool { commands.indices.contains { spec($0).commandClass == .script } }

  /// Whether a server that pauses writes would hold one of the commands; see ``CommandSpec/mayReplicate(_:)``.
  public var mayReplicate: Bool {
    commands.indices.contains { index in withCommand(index) { spec(index).mayReplicate($0) } }
  }

  /// Calls `body` with each command and its line of the command table.
  public func forEachCommand(_ body: (Span<UInt8>, CommandSpec) -> Void) {
    for index in commands.indices { withCommand(index) { body($0, spec(index)) } }
  }

  /// Appends one whole command, an array of bulk strings.
  public func append(_ command: Span<UInt8>, id: CommandID) {
    commands.append(Entry(offset: bytes.count, length: command.count, id: id, bytesID: id))
    bytes.append(command)
  }

  /// Makes `command` the only one, without copying it.
  ///
  /// - Precondition: the batch is empty.
  public func hold(_ command: SharedBytes, id: CommandID) {
    precondition(commands.isEmpty, "a large command shares its batch")
    commands.append(Entry(offset: -1, length: command.count, id: id, bytesID: id))
    large = command
  }

  /// The owner of the bytes of the command at `index`, if that is the large one, unchanged.
  @inline(__always)
  func owner(_ index: Int) -> SharedBytes? {
    commands[index].offset < 0 ? large : nil
  }

  /// Appends one command given by its arguments, the name first.
  public func append(arguments: [[UInt8]]) {
    let offset = bytes.count
    bytes.appendCommand(expecting: arguments.count) { command in
      for argument in arguments { command.append(argument.span) }
    }
    let name = arguments[0]
    let subcommand = arguments.count > 1 ? arguments[1] : []
    let id = CommandTable.lookup(name.span, subcommand: subcommand.span)
    commands.append(Entry(offset: offset, length: bytes.count - offset, id: id, bytesID: id))
  }

  /// The line of the command table for the command at `index`.
  @inline(__always)
  func spec(_ index: Int) -> CommandSpec {
    table[Int(commands[index].id.rawValue)]
  }

  /// The line of the command table for the command in the bytes at `index`, which determines where the keys are.
  @inline(__always)
  func bytesSpec(_ index: Int) -> CommandSpec {
    table[Int(commands[index].bytesID.rawValue)]
  }

  /// The class of the command at `index`. Its bytes are read only if options decide it.
  @inline(__always)
  func commandClass(_ index: Int) -> CommandClass {
    let spec = spec(index)
    return spec.isClassedByOptions ? withCommand(index) { spec.commandClass(ofCommand: $0) } : spec.commandClass
  }

  /// Lends the bytes of the command at `index` to `body`.
  @inline(__always)
  func withCommand<Result>(_ index: Int, _ body: (Span<UInt8>) -> Result) -> Result {
    let entry = commands[index]
    if entry.offset < 0, let large { return large.withSpan(body) }
    return bytes.withSpan { body($0.extracting(entry.offset..<entry.offset + entry.length)) }
  }

  /// Returns the end of the run of commands from `first` on that lie one behind the other and that `isIncluded` admits;
  /// it is not asked about the first one. The large command is a run of its own.
  @inline(__always)
  func endOfRun(from first: Int, where isIncluded: (Int) -> Bool) -> Int {
    var next = first + 1
    while next < commands.count, isContiguous || follows(next), isIncluded(next) { next += 1 }
    return next
  }

  /// Returns the end of the run of all commands from `first` on that lie one behind the other.
  @inline(__always)
  func endOfRun(from first: Int) -> Int { isContiguous ? commands.count : endOfRun(from: first) { _ in true } }

  /// Whether the command at `index` begins where the one before it ends.
  private func follows(_ index: Int) -> Bool {
    commands[index].offset == commands[index - 1].offset + commands[index - 1].length
  }

  /// Sends the commands at `range`, a run, to `connection`, with tokens that are `tokenStep` apart.
  func send(
    run range: Range<Int>,
    over connection: HiredisConnection,
    to receiver: any ReplyReceiver,
    token: Int,
    tokenStep: Int,
    isUrgent: Bool = true
  ) {
    let first = commands[range.lowerBound]
    guard range.count > 1 else {
      return withCommand(range.lowerBound) {
        connection.send($0, of: owner(range.lowerBound), to: receiver, token: token, isUrgent: isUrgent)
      }
    }
    let last = commands[range.upperBound - 1]
    bytes.withSpan { bytes in
      connection.send(
        run: bytes.extracting(first.offset..<last.offset + last.length),
        of: range.count,
        to: receiver,
        token: token,
        tokenStep: tokenStep,
        isUrgent: isUrgent
      ) { commands[range.lowerBound + $0].length }
    }
  }

  /// Replaces the command at `index` by the one in `command`, which has other bytes afterwards.
  func replace(_ index: Int, with command: inout ByteBuffer) {
    let bytesID = command.withSpan { command in
      let arguments = ArgumentCursor(command)
      guard let name = arguments.argument(at: 0), let second = arguments.argument(at: 1) else {
        return commands[index].id
      }
      return CommandTable.lookup(name, subcommand: second)
    }
    let length = command.count
    if commands.count == 1 {
      // A large command is not copied once more, and its old bytes are released.
      swap(&bytes, &command)
      large = nil
    } else {
      command.withSpan { bytes.append($0) }
      isContiguous = false
    }
    commands[index] = Entry(
      offset: bytes.count - length,
      length: length,
      id: commands[index].id,
      bytesID: bytesID
    )
  }

  /// Exchanges the commands with those of another batch.
  func swapCommands(with other: CommandBatch) {
    swap(&bytes, &other.bytes)
    swap(&commands, &other.commands)
    swap(&large, &other.large)
    swap(&isContiguous, &other.isContiguous)
  }

  func removeAll() {
    commands.removeAll(keepingCapacity: true)
    large = nil
    isContiguous = true
    bytes.removeAll(keepingCapacityUpTo: Self.keptCapacity)
  }
}
