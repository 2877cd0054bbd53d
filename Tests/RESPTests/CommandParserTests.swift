internal import Glibc
internal import Testing

@testable internal import RESP

/// Inputs with what is in them.
private let corpus: [(name: String, input: [UInt8], found: [Parsed])] = [
  ("one command", bytes("*1\r\n$4\r\nPING\r\n"), [.words("PING")]),
  ("arguments", bytes("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n"), [.words("SET", "k", "value")]),
  ("empty arguments", bytes("*3\r\n$0\r\n\r\n$0\r\n\r\n$1\r\nx\r\n"), [.words("", "", "x")]),
  ("line ends in an argument", bytes("*2\r\n$4\r\nECHO\r\n$6\r\n\r\n*1\r\n\r\n"), [.words("ECHO", "\r\n*1\r\n")]),
  ("all bytes", bytes("*1\r\n$256\r\n") + Array(0...255) + bytes("\r\n"), [.command([Array(0...255)])]),
  ("empty arrays", bytes("*0\r\n*-1\r\n*-7\r\n*1\r\n$1\r\na\r\n"), [.nothing, .nothing, .nothing, .words("a")]),
  ("empty lines", bytes("\r\n\n  \r\n*1\r\n$1\r\na\r\n"), [.nothing, .nothing, .nothing, .words("a")]),
  ("inline", bytes("PING\r\nset k  v\n"), [.words("PING"), .words("set", "k", "v")]),
  (
    "inline with quotes", bytes(#"set "a b" 'c "d"' "\x41\n\"" 'it\'s' """# + "\r\n"),
    [.words("set", "a b", #"c "d""#, "A\n\"", "it's", "")]
  ),
  (
    "a pipeline", bytes("*1\r\n$4\r\nPING\r\nGET k\r\n*2\r\n$3\r\nGET\r\n$2\r\nkk\r\n"),
    [.words("PING"), .words("GET", "k"), .words("GET", "kk")]
  ),
  (
    "an error after a command", bytes("*1\r\n$1\r\na\r\n*x\r\n"),
    [
      .words("a"), .invalid("ERR Protocol error: invalid multibulk length"),
    ]
  ),
  (
    "many arguments", bytes("*300\r\n" + String(repeating: "$1\r\nz\r\n", count: 300)),
    [
      .command(Array(repeating: bytes("z"), count: 300))
    ]
  ),
]

@Suite("Command parser")
struct CommandParserTests {
  @Test("A command that is not wanted can be forgotten piece by piece", arguments: 1...40)
  func forget(pieceLength: Int) {
    let long = bytes("*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$30\r\n" + String(repeating: "\r\n*", count: 10) + "\r\n$0\r\n\r\n")
    let input = long + bytes("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")
    var parser = CommandParser()
    var (kept, position, longest) = ([UInt8](), 0, 0)
    forgetting: while true {
      kept += input[position..<min(position + pieceLength, input.count)]
      position = min(position + pieceLength, input.count)
      switch parser.parse(kept.span) {
      case .needsMore: kept.removeFirst(parser.forgetParsed(of: kept.count))
      case .command(let command):
        kept.removeFirst(command.length)
        break forgetting
      case .nothing, .invalid:
        Issue.record("the command was not recognized")
        return
      }
      longest = max(longest, kept.count)
    }
    #expect(longest < 8, "the rest of a line, or of a line's end")
    kept += input[position...]
    #expect(kept == bytes("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"))
    guard case .command(let command) = parser.parse(kept.span) else {
      Issue.record("what stands behind it is not a command")
      return
    }
    #expect(command.argumentCount == 2 && Array(kept[command.name]) == bytes("GET"))
  }

  @Test("The corpus is read as a whole", arguments: corpus.indices)
  func whole(index: Int) {
    #expect(ParserDriver.parse(corpus[index].input) == corpus[index].found, "\(corpus[index].name)")
  }

  @Test("The corpus is read whatever the place at which it is cut in two", arguments: corpus.indices)
  func everySplit(index: Int) {
    for cut in 0...corpus[index].input.count {
      var driver = ParserDriver()
      driver.feed(corpus[index].input[..<cut])
      driver.feed(corpus[index].input[cut...])
      #expect(driver.found == corpus[index].found, "\(corpus[index].name), cut at \(cut)")
    }
  }

  @Test("The corpus is read byte by byte", arguments: corpus.indices)
  func byteByByte(index: Int) {
    var driver = ParserDriver()
    for byte in corpus[index].input { driver.feed([byte]) }
    #expect(driver.found == corpus[index].found, "\(corpus[index].name)")
    #expect(driver.rest.isEmpty || driver.isBroken)
  }

  @Test("Nothing is found in a command that is not whole, however often it is looked at")
  func needsMore() {
    let input = bytes("*2\r\n$3\r\nGET\r\n$2\r\nkk\r\n")
    var parser = CommandParser()
    for count in 0..<input.count {
      for _ in 0..<2 {
        let outcome = parser.parse(input.span.extracting(0..<count))
        #expect(outcome == .needsMore, "\(count) bytes")
      }
    }
    let command = CommandParser.Command(length: 21, argumentCount: 2, name: 8..<11, second: 17..<19, isInline: false)
    #expect(parser.parse(input.span) == .command(command))
    #expect(parser.parse(input.span) == .command(command), "the parser is at a beginning again")
  }

  @Test("Limits can be changed between two looks at the same command")
  func changedLimits() {
    var parser = CommandParser(limits: ParserLimits(maxBulkBytes: 4))
    let input = bytes("*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n")
    let before = parser.parse(input.span.extracting(0..<14))
    #expect(before == .needsMore)
    parser.limits.maxBulkBytes = 5
    var isCommand = false
    if case .command = parser.parse(input.span) { isCommand = true }
    #expect(isCommand)
  }

  @Test("After an error the parser is at a beginning")
  func errorResets() {
    var parser = CommandParser()
    #expect(parser.parse(bytes("*2\r\n$1\r\na\r\n:").span) == .invalid(.expectedBulk(got: UInt8(ascii: ":"))))
    var isCommand = false
    if case .command = parser.parse(bytes("*1\r\n$1\r\na\r\n").span) { isCommand = true }
    #expect(isCommand)
  }

  @Test("An inline command's array replaces the one before")
  func inlineReplaced() {
    var driver = ParserDriver()
    driver.feed(bytes("set a 1\r\n"))
    #expect(driver.parser.inlineCommand == bytes("*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\n1\r\n"))
    driver.feed(bytes("x\r\n"))
    #expect(driver.parser.inlineCommand == bytes("*1\r\n$1\r\nx\r\n"))
  }
}

@Suite("Command parser: limits")
struct CommandParserLimitTests {
  private let limits = ParserLimits(maxBulkBytes: 10, maxArguments: 3, maxLineBytes: 20)

  private func parse(_ text: String) -> [Parsed] { ParserDriver.parse(bytes(text), limits: limits) }

  @Test("The limits are Redis' unless said otherwise")
  func defaults() {
    #expect(ParserLimits() == ParserLimits(maxBulkBytes: 536_870_912, maxArguments: 1_048_576, maxLineBytes: 65536))
  }

  @Test("An argument may be as long as its limit, and is refused by its header alone beyond that")
  func bulk() {
    #expect(parse("*1\r\n$10\r\n0123456789\r\n") == [.words("0123456789")])
    #expect(parse("*1\r\n$11\r\n") == [.invalid("ERR Protocol error: invalid bulk length")])
    #expect(parse("*1\r\n$999999999999999999\r\n") == [.invalid("ERR Protocol error: invalid bulk length")])
    #expect(parse("*1\r\n$9999999999999999999\r\n") == [.invalid("ERR Protocol error: invalid bulk length")])
  }

  @Test("A command may have as many arguments as their limit")
  func arguments() {
    #expect(parse("*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n") == [.words("a", "b", "c")])
    #expect(parse("*4\r\n") == [.invalid("ERR Protocol error: invalid multibulk length")])
    #expect(parse("*99999999999999999999\r\n") == [.invalid("ERR Protocol error: invalid multibulk length")])
  }

  @Test("A length line without its end is given up at its limit, not before")
  func lengthLines() {
    let nineteen = String(repeating: "1", count: 20)
    #expect(parse("*" + nineteen).isEmpty)
    #expect(parse("*" + nineteen + "1") == [.invalid("ERR Protocol error: too big mbulk count string")])
    #expect(parse("*1\r\n$" + nineteen).isEmpty)
    #expect(parse("*1\r\n$" + nineteen + "1") == [.invalid("ERR Protocol error: too big bulk count string")])
  }

  @Test("An inline command is given up at its limit, with or without its end, however it comes")
  func inline() {
    let fitting = String(repeating: "a", count: 19)
    #expect(parse(fitting + "\n") == [.words(fitting)])
    #expect(parse(fitting).isEmpty)
    for input in [fitting + "a", fitting + "a\n", fitting + "aaaa\r\n"] {
      let expected = [Parsed.invalid("ERR Protocol error: too big inline request")]
      #expect(parse(input) == expected)
      var driver = ParserDriver(limits: limits)
      for byte in input.utf8 { driver.feed([byte]) }
      #expect(driver.found == expected)
    }
  }

  @Test("Input in small pieces takes no more than a few times as long as in one")
  func linearTime() {
    for input in [Self.oneLargeArgument(2 << 20), Self.manyArguments(2 << 20), Self.oneLongLine(2 << 20)] {
      let whole = Self.time(parsing: input, inPiecesOf: input.count)
      let pieces = Self.time(parsing: input, inPiecesOf: 1024)
      // Looking at each byte again with each of the two thousand pieces would take a thousand times as long.
      #expect(pieces < whole * 20 + .milliseconds(100), "\(pieces), \(whole)")
    }
  }

  private static func oneLargeArgument(_ size: Int) -> [UInt8] {
    bytes("*1\r\n$\(size)\r\n") + Array(repeating: 0x61, count: size) + bytes("\r\n")
  }

  private static func manyArguments(_ size: Int) -> [UInt8] {
    bytes("*\(size / 8)\r\n" + String(repeating: "$2\r\nab\r\n", count: size / 8))
  }

  private static func oneLongLine(_ size: Int) -> [UInt8] {
    Array(repeating: 0x61, count: size) + bytes("\n")
  }

  /// Processor time that it takes to find the one command of `input` when so much more of it is there each time.
  private static func time(parsing input: [UInt8], inPiecesOf size: Int) -> Duration {
    var parser = CommandParser(limits: ParserLimits(maxLineBytes: 4 << 20))
    var isFound = false
    let start = processorTime
    for count in stride(from: size, to: input.count + size, by: size) {
      if case .command = parser.parse(input.span.extracting(0..<min(count, input.count))) { isFound = true }
    }
    let elapsed = processorTime - start
    #expect(isFound)
    return elapsed
  }

  /// What the thread has used so far: other tests that run at the same time don't count.
  private static var processorTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
