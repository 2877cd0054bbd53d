/// An incremental parser of clients' input: arrays of bulk strings, and inline commands.
///
/// It keeps its place inside a command that has not arrived whole, so that no byte is examined twice. It copies nothing
/// and allocates nothing for arrays of bulk strings: a command is the range of bytes it came in, and ``ArgumentCursor``
/// walks those.
///
/// It is stricter than a server in one point: each CR and LF has to be where the protocol puts it. A store then reads
/// exactly the commands that were read here, and no client can smuggle a second command past the routing.
public struct CommandParser: Sendable {
  /// The outcome of one call of ``parse(_:)``.
  public enum Outcome: Equatable, Sendable {
    /// The command is not whole yet: call again with the same bytes and more.
    case needsMore
    /// A whole command.
    case command(Command)
    /// An empty line or an empty array: nothing to execute, `length` bytes to skip.
    case nothing(length: Int)
    /// The input is not RESP; nothing after it can be trusted.
    case invalid(ProtocolError)
  }

  /// A whole command, as a part of the input.
  public struct Command: Equatable, Sendable {
    /// The number of bytes from the beginning of the input that the command takes.
    public let length: Int
    /// The number of arguments, the name included; at least 1.
    public let argumentCount: Int
    /// The range of the name.
    public let name: Range<Int>
    /// The range of the first argument after the name; empty when there is none.
    public let second: Range<Int>
    /// Whether the command is inline: ``CommandParser/inlineCommand`` then has it as an array of bulk strings, and
    /// `name` and `second` are ranges in that.
    public let isInline: Bool
  }

  private enum Stage {
    case start
    case bulkHeader
    case bulkBody
  }

  /// The limits on the input. A change applies from the next argument on.
  public var limits: ParserLimits
  private var stage = Stage.start
  /// Everything before this position belongs to the command and was examined.
  private var position = 0
  private var argumentCount = 0
  private var argumentsLeft = 0
  private var bulkLength = 0
  private var name = 0..<0
  private var second = 0..<0

  /// Whether the next inline command may have arguments with parts with and without quotes.
  private var joinsQuotedParts = false

  /// The last inline command, written as an array of bulk strings.
  public private(set) var inlineCommand: [UInt8] = []

  /// Creates a parser at the beginning of a client's input.
  public init(limits: ParserLimits = ParserLimits()) {
    self.limits = limits
  }

  /// After `.needsMore`: the least length of the command, as far as it is known, in bytes; 0 if that is no more than
  /// the bytes that have arrived.
  public var knownLength: Int { stage == .bulkBody ? position + bulkLength + 2 : 0 }

  /// Whether the beginning of a command has arrived that is not an inline one.
  public var isInsideCommand: Bool { stage != .start }

  /// Forgets the parsed part of a command that has not arrived whole, for a caller that does not want the command. The
  /// next call's input begins after the forgotten bytes. Once the command has ended, the ranges of its arguments mean
  /// nothing.
  ///
  /// - Parameter count: The length of the last input, for which ``parse(_:)`` has returned `.needsMore`.
  /// - Returns: The number of bytes at the beginning of that input that are forgotten.
  public mutating func forgetParsed(of count: Int) -> Int {
    guard isInsideCommand else { return 0 }
    var forgotten = position
    if stage == .bulkBody {
      let body = min(count - position, bulkLength)
      bulkLength -= body
      forgotten += body
    }
    position = 0
    return forgotten
  }

  /// Parses one command at the beginning of `input`.
  ///
  /// After `.needsMore`, the next call's input has to begin with the same bytes. After anything else the parser is at
  /// the start of a command again, and the caller drops what was consumed.
  public mutating func parse(_ input: Span<UInt8>) -> Outcome {
    if stage == .start {
      if input.isEmpty { return .needsMore }
      guard input[0] == UInt8(ascii: "*") else { return parseInline(input) }
      switch Self.line(in: input, from: 1, limit: limits.maxLineBytes) {
      case .needsMore: return .needsMore
      case .tooLong: return fail(.tooBigMultibulkCount)
      case .malformed: return fail(.unterminatedLine)
      case .number(nil, _): return fail(.invalidMultibulkLength)
      case .number(let count?, let next):
        guard count <= limits.maxArguments else { return fail(limits.error(forArgumentCount: count)) }
        guard count > 0 else { return .nothing(length: next) }
        begin(argumentCount: count, at: next)
      }
    }
    while argumentsLeft > 0 {
      if stage == .bulkHeader {
        guard position < input.count else { return .needsMore }
        guard input[position] == UInt8(ascii: "$") else { return fail(.expectedBulk(got: input[position])) }
        switch Self.line(in: input, from: position + 1, limit: limits.maxLineBytes) {
        case .needsMore: return .needsMore
        case .tooLong: return fail(.tooBigBulkCount)
        case .malformed: return fail(.unterminatedLine)
        case .number(let length?, let next) where length >= 0 && length <= limits.maxBulkBytes:
          bulkLength = length
          position = next
          stage = .bulkBody
        case .number(let length, _): return fail(limits.error(forBulkLength: length))
        }
      }
      let end = position + bulkLength
      guard end + 2 <= input.count else { return .needsMore }
      guard input[end] == UInt8(ascii: "\r"), input[end + 1] == UInt8(ascii: "\n") else {
        return fail(.unterminatedBulk)
      }
      if argumentsLeft == argumentCount {
        name = position..<end
      } else if argumentsLeft == argumentCount - 1 {
        second = position..<end
      }
      position = end + 2
      argumentsLeft -= 1
      stage = .bulkHeader
    }
    let command = Command(
      length: position,
      argumentCount: argumentCount,
      name: name,
      second: second,
      isInline: false
    )
    reset()
    return .command(command)
  }

  /// Makes the next call of ``parse(_:)`` join parts of an argument with and without quotes, as some servers do. For an
  /// inline command for which it has just returned ``ProtocolError/unbalancedQuotes``.
  ///
  /// - Returns: false if it has joined them already.
  public mutating func joinQuotedParts() -> Bool {
    joinsQuotedParts.toggle()
    return joinsQuotedParts
  }

  private mutating func begin(argumentCount count: Int, at next: Int) {
    argumentCount = count
    argumentsLeft = count
    position = next
    name = 0..<0
    second = 0..<0
    stage = .bulkHeader
  }

  private mutating func reset() {
    stage = .start
    position = 0
  }

  private mutating func fail(_ error: ProtocolError) -> Outcome {
    reset()
    return .invalid(error)
  }

  private mutating func parseInline(_ input: Span<UInt8>) -> Outcome {
    // No line begins so, but the greeting of TLS (RFC 8446 section 5.1), which would wait for an answer.
    if input[0] == 0x16 { return fail(.handshakeOfTLS) }
    // `position` remembers how far a line that is not whole was searched.
    var end = position
    while end < input.count, input[end] != UInt8(ascii: "\n") { end += 1 }
    if end >= limits.maxLineBytes { return fail(.tooBigInline) }
    guard end < input.count else {
      position = end
      return .needsMore
    }
    reset()
    let length = end + 1
    if end > 0, input[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    guard
      let arguments = InlineCommand.split(input.extracting(0..<end), joiningQuotedParts: joinsQuotedParts)
    else { return fail(.unbalancedQuotes) }
    joinsQuotedParts = false
    guard !arguments.isEmpty else { return .nothing(length: length) }
    let encoded = InlineCommand.encode(arguments)
    inlineCommand = encoded.bytes
    return .command(
      Command(
        length: length,
        argumentCount: arguments.count,
        name: encoded.ranges[0],
        second: arguments.count > 1 ? encoded.ranges[1] : 0..<0,
        isInline: true
      )
    )
  }
}

extension CommandParser {
  /// A length line, as far as it has arrived.
  enum Line {
    case needsMore
    case tooLong
    case malformed
    /// The number, nil when it is none, and the position of the next line.
    case number(Int?, next: Int)
  }

  /// Reads a decimal number and its CRLF from `start` on, as strictly as Redis' `string2ll`: no sign but a minus, no
  /// leading zero, no space.
  @inline(__always)
  static func line(in input: Span<UInt8>, from start: Int, limit: Int) -> Line {
    // Most numbers have one digit or two.
    if start + 4 <= input.count {
      let (first, next) = (input[start] &- UInt8(ascii: "0"), input[start + 1])
      if first <= 9, next == UInt8(ascii: "\r"), input[start + 2] == UInt8(ascii: "\n") {
        return .number(Int(first), next: start + 3)
      }
      let second = next &- UInt8(ascii: "0")
      if first <= 9, first > 0, second <= 9, input[start + 2] == UInt8(ascii: "\r"),
        input[start + 3] == UInt8(ascii: "\n")
      {
        return .number(Int(first) * 10 + Int(second), next: start + 4)
      }
    }
    return longerLine(in: input, from: start, limit: limit)
  }

  /// Reads lines that are incomplete, malformed or longer.
  private static func longerLine(in input: Span<UInt8>, from start: Int, limit: Int) -> Line {
    var at = start
    var value = 0
    var valid = true
    var negative = false
    if at < input.count, input[at] == UInt8(ascii: "-") {
      negative = true
      at += 1
    }
    let firstDigit = at
    while at < input.count {
      let byte = input[at]
      if byte == UInt8(ascii: "\r") { break }
      if at - start >= limit { return .tooLong }
      let digit = byte &- UInt8(ascii: "0")
      if digit > 9 || at - firstDigit >= 18 {
        valid = false
      } else if valid {
        value = value * 10 + Int(digit)
      }
      at += 1
    }
    guard at + 1 < input.count else { return .needsMore }
    guard input[at + 1] == UInt8(ascii: "\n") else { return .malformed }
    let digits = at - firstDigit
    if digits == 0 || (digits > 1 && input[firstDigit] == UInt8(ascii: "0")) || (negative && value == 0) {
      valid = false
    }
    return .number(valid ? (negative ? -value : value) : nil, next: at + 2)
  }
}
