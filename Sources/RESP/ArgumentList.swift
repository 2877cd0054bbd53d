/// The arguments of one whole command, with their positions found once, for callers that need more than the first few.
public struct ArgumentList: CommandArguments, ~Escapable {
  private let command: Span<UInt8>
  private let ranges: [Range<Int>]

  /// Finds the arguments of `command`, which has to be one whole array of bulk strings.
  @_lifetime(copy command)
  public init(_ command: Span<UInt8>) {
    self.command = command
    var cursor = ArgumentCursor(command)
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(cursor.count)
    while let range = cursor.nextRange() { ranges.append(range) }
    self.ranges = ranges
  }

  /// The number of arguments, the name included.
  public var argumentCount: Int { ranges.count }

  /// Returns the argument at `index`; 0 is the name.
  @_lifetime(borrow self)
  public borrowing func argument(at index: Int) -> Span<UInt8> {
    command.extracting(ranges[index])
  }
}

extension CommandSpec {
  /// Returns the class of the whole command `bytes`. The arguments are read only if options decide the class.
  @inline(__always)
  public func commandClass(ofCommand bytes: Span<UInt8>) -> CommandClass {
    isClassedByOptions ? commandClass(of: ArgumentList(bytes)) : commandClass
  }

  /// Calls `body` with each key of the whole command `bytes`.
  public func forEachKey(ofCommand bytes: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
    if keys == .none { return }
    let arguments = ArgumentList(bytes)
    forEachKey(in: arguments) { body(arguments.argument(at: $0)) }
  }

  /// Whether one of the keys of the whole command `bytes` satisfies `condition`.
  public func hasKey(ofCommand bytes: Span<UInt8>, where condition: (Span<UInt8>) -> Bool) -> Bool {
    var isFound = false
    forEachKey(ofCommand: bytes) { if !isFound { isFound = condition($0) } }
    return isFound
  }
}
