internal import RESP

/// Any bytes as what a client sends: the request parser reads them in one piece and in many, and what it finds has to
/// be the same, within its limits, and made of the bytes that it was given.
///
/// The first byte chooses the limits, the second how the input is cut up; the rest is the input.
public enum RequestCheck {
  /// One thing that was found, with the place where it ends.
  private struct Found: Equatable {
    enum Kind: Equatable {
      case command(CommandParser.Command, inline: [UInt8])
      case nothing
      case invalid(ProtocolError)
    }

    let kind: Kind
    let end: Int
  }

  /// Inputs up to this length are cut at every byte as well.
  private static let longestCutEverywhere = 48

  /// Reads `data`, and throws what is wrong.
  public static func run(_ data: [UInt8]) throws(FuzzProblem) {
    guard data.count > 2 else { return }
    let limits = limits(data[0])
    let input = Array(data[2...])
    let whole = parse(input, limits) { _, count in count }
    for found in whole {
      if case .command(let command, let inline) = found.kind {
        let bytes = command.isInline ? inline : Array(input[found.end - command.length..<found.end])
        try check(command, bytes, limits)
      }
    }
    var random = FuzzGenerator(seed: UInt64(data[1]))
    let cut = parse(input, limits) { end, count in min(count, end + Int.random(in: 1...40, using: &random)) }
    guard cut == whole else { throw FuzzProblem("read in pieces: \(cut); in one: \(whole)") }
    guard input.count <= longestCutEverywhere else { return }
    let single = parse(input, limits) { end, _ in end + 1 }
    guard single == whole else { throw FuzzProblem("read byte by byte: \(single); in one: \(whole)") }
  }

  private static func limits(_ choice: UInt8) -> ParserLimits {
    switch choice % 4 {
    case 0: ParserLimits()
    case 1: ParserLimits().beforeLogin
    case 2: ParserLimits(maxBulkBytes: 8, maxArguments: 3, maxLineBytes: 24)
    default: ParserLimits(maxBulkBytes: 0, maxArguments: 1, maxLineBytes: 2)
    }
  }

  /// Parses as a session does: what was found is taken away, and after an error nothing is read.
  ///
  /// - Parameter grow: how much of the input is there next, after as much as its first argument was not enough.
  private static func parse(_ input: [UInt8], _ limits: ParserLimits, grow: (Int, Int) -> Int) -> [Found] {
    var parser = CommandParser(limits: limits)
    var found: [Found] = []
    var consumed = 0
    var end = grow(0, input.count)
    let span = input.span
    while true {
      switch parser.parse(span.extracting(consumed..<end)) {
      case .needsMore:
        guard end < input.count else { return found }
        end = grow(end, input.count)
      case .nothing(let length):
        consumed += length
        found.append(Found(kind: .nothing, end: consumed))
      case .command(let command):
        consumed += command.length
        let inline = command.isInline ? parser.inlineCommand : []
        found.append(Found(kind: .command(command, inline: inline), end: consumed))
      case .invalid(let error):
        found.append(Found(kind: .invalid(error), end: consumed))
        return found
      }
    }
  }

  /// A command is what its arguments are when they are written anew, and its keys are among them.
  private static func check(
    _ command: CommandParser.Command,
    _ bytes: [UInt8],
    _ limits: ParserLimits
  ) throws(FuzzProblem) {
    let span = bytes.span
    var rewritten = ByteBuffer()
    rewritten.appendArrayHeader(command.argumentCount)
    var cursor = ArgumentCursor(span)
    var count = 0
    let longest = command.isInline ? limits.maxLineBytes : limits.maxBulkBytes
    while let argument = cursor.next() {
      count += 1
      guard argument.count <= longest else { throw FuzzProblem("an argument of \(argument.count) bytes") }
      rewritten.appendBulk(argument)
    }
    guard count == command.argumentCount, command.isInline || count <= limits.maxArguments else {
      throw FuzzProblem("\(count) arguments, said to be \(command.argumentCount)")
    }
    guard rewritten.bytes == bytes else { throw FuzzProblem("not what its arguments are: \(bytes)") }
    let arguments = ArgumentList(span)
    guard span.extracting(command.name).hasSameBytes(as: arguments.argument(at: 0)) else {
      throw FuzzProblem("another name than the first argument")
    }
    let second = span.extracting(command.second)
    guard count > 1 ? second.hasSameBytes(as: arguments.argument(at: 1)) : second.isEmpty else {
      throw FuzzProblem("another second argument")
    }
    let spec = CommandTable.spec(CommandTable.lookup(arguments.argument(at: 0), subcommand: second))
    _ = spec.hazard(as: spec.commandClass(ofCommand: span))
    var keys = 0
    spec.forEachKey(ofCommand: span) { _ in keys += 1 }
    guard keys < count else { throw FuzzProblem("\(keys) keys in \(count) arguments") }
  }
}
