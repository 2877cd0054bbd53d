@testable internal import RESP

/// One thing that a parser found, in a form that says what a server would execute.
enum Parsed: Equatable {
  case command([[UInt8]])
  case nothing
  case invalid(String)

  /// A command of words.
  static func words(_ words: String...) -> Parsed { .command(words.map { Array($0.utf8) }) }
}

/// The bytes of a string.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A client's side of the parser: gets input in pieces and keeps what was not consumed, as a session does.
struct ParserDriver {
  var parser: CommandParser
  private(set) var found: [Parsed] = []
  private var pending: [UInt8] = []
  private(set) var isBroken = false

  init(limits: ParserLimits = ParserLimits()) {
    parser = CommandParser(limits: limits)
  }

  /// Bytes that no command was made of yet.
  var rest: [UInt8] { pending }

  /// Takes one piece of input.
  mutating func feed(_ piece: some Sequence<UInt8>) {
    pending += piece
    while !isBroken {
      let input = pending
      switch parser.parse(input.span) {
      case .needsMore: return
      case .nothing(let length):
        found.append(.nothing)
        pending.removeFirst(length)
      case .invalid(let error):
        found.append(.invalid(error.description))
        isBroken = true
      case .command(let command):
        found.append(.command(arguments(of: command)))
        pending.removeFirst(command.length)
      }
    }
  }

  /// What the parser finds in `input` that comes as a whole.
  static func parse(_ input: [UInt8], limits: ParserLimits = ParserLimits()) -> [Parsed] {
    var driver = ParserDriver(limits: limits)
    driver.feed(input)
    return driver.found
  }

  /// The arguments as the cursor walks them, held against what the command says of itself.
  private func arguments(of command: CommandParser.Command) -> [[UInt8]] {
    let encoded = command.isInline ? parser.inlineCommand : Array(pending[..<command.length])
    var cursor = ArgumentCursor(encoded.span)
    var arguments: [[UInt8]] = []
    while let argument = cursor.next() { arguments.append(argument.array) }
    let places = [command.name, command.second].prefix(arguments.count).map { Array(encoded[$0]) }
    precondition(command.argumentCount == arguments.count, "a command's count is not that of its arguments")
    precondition(places == Array(arguments.prefix(2)), "a command's name or second argument is elsewhere")
    precondition(arguments.count > 1 || command.second.isEmpty, "a command of one word has a second argument")
    return arguments
  }
}
