@testable internal import RESP
internal import Testing

@Suite("Command parser: random input")
struct CommandParserRandomTests {
  @Test("Random input in random pieces is read as the simplest possible parser reads it", arguments: 0..<8)
  func differential(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var outcomes = (commands: 0, errors: 0)
    for _ in 0..<400 {
      let input = Self.input(&random)
      let expected = ReferenceParser(input).parseAll()
      var driver = ParserDriver(limits: ReferenceParser.limits)
      var at = 0
      while at < input.count {
        let count = Int.random(in: 1...max(1, input.count / 2), using: &random)
        driver.feed(input[at..<min(at + count, input.count)])
        at += count
      }
      #expect(driver.found == expected, "\(String(decoding: input, as: UTF8.self).debugDescription)")
      outcomes.commands += expected.count { if case .command = $0 { true } else { false } }
      outcomes.errors += expected.count { if case .invalid = $0 { true } else { false } }
    }
    // Random input that is all of one kind would prove little.
    #expect(outcomes.commands > 100 && outcomes.errors > 100, "\(outcomes)")
  }

  /// A few commands, with a byte changed, lost or doubled now and then.
  private static func input(_ random: inout SeededGenerator) -> [UInt8] {
    var input: [UInt8] = []
    for _ in 0..<Int.random(in: 1...5, using: &random) {
      switch Int.random(in: 0..<10, using: &random) {
      case 0: input += bytes(["*0\r\n", "*-1\r\n", "\r\n", "\n"].randomElement(using: &random)!)
      case 1...3: input += word(&random) + [0x20] + word(&random) + bytes("\r\n")
      default:
        let count = Int.random(in: 1...4, using: &random)
        input += bytes("*\(count)\r\n")
        for _ in 0..<count {
          let argument = word(&random)
          input += bytes("$\(argument.count)\r\n") + argument + bytes("\r\n")
        }
      }
    }
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      let index = Int.random(in: 0..<input.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: input[index] = alphabet.randomElement(using: &random)!
      case 1: input.insert(input[index], at: index)
      default: input.remove(at: index)
      }
      if input.isEmpty { return [0x0a] }
    }
    return input
  }

  private static let alphabet = bytes("*$\r\n0123456789-+ab'\"\\x \u{1}")

  private static func word(_ random: inout SeededGenerator) -> [UInt8] {
    (0..<Int.random(in: 0...12, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
  }
}

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// A parser that starts anew for each command and cares for nothing but being right.
private struct ReferenceParser {
  static let limits = ParserLimits(maxBulkBytes: 40, maxArguments: 12, maxLineBytes: 60)

  private enum Failure: Error {
    case incomplete
    case invalid(String)
  }

  private let input: [UInt8]
  private var at = 0

  init(_ input: [UInt8]) {
    self.input = input
  }

  func parseAll() -> [Parsed] {
    var parser = self
    var found: [Parsed] = []
    while parser.at < input.count {
      do {
        found.append(try parser.parseOne())
      } catch Failure.invalid(let reason) {
        return found + [.invalid("ERR Protocol error: \(reason)")]
      } catch {
        return found
      }
    }
    return found
  }

  private mutating func parseOne() throws -> Parsed {
    guard input[at] == UInt8(ascii: "*") else { return try parseInline() }
    let count = try length(tooLong: "too big mbulk count string", wrong: "invalid multibulk length")
    guard count <= Self.limits.maxArguments else { throw Failure.invalid("invalid multibulk length") }
    if count <= 0 { return .nothing }
    var words: [[UInt8]] = []
    for _ in 0..<count {
      guard at < input.count else { throw Failure.incomplete }
      guard input[at] == UInt8(ascii: "$") else {
        throw Failure.invalid(ProtocolError.expectedBulk(got: input[at]).reason)
      }
      let size = try length(tooLong: "too big bulk count string", wrong: "invalid bulk length")
      guard (0...Self.limits.maxBulkBytes).contains(size) else { throw Failure.invalid("invalid bulk length") }
      guard at + size + 2 <= input.count else { throw Failure.incomplete }
      words.append(Array(input[at..<at + size]))
      guard Array(input[at + size..<at + size + 2]) == [13, 10] else {
        throw Failure.invalid("expected CRLF after bulk string")
      }
      at += size + 2
    }
    return .command(words)
  }

  /// The number between a type's byte and the CRLF.
  private mutating func length(tooLong: String, wrong: String) throws -> Int {
    let line = input[(at + 1)...].prefix { $0 != 13 }
    if line.count > Self.limits.maxLineBytes { throw Failure.invalid(tooLong) }
    guard line.endIndex + 1 < input.count else { throw Failure.incomplete }
    guard input[line.endIndex + 1] == 10 else { throw Failure.invalid("expected LF after CR") }
    at = line.endIndex + 2
    let text = String(decoding: line, as: UTF8.self)
    // What is printed as it was written has no sign, zero or space too many.
    guard let number = Int(text), String(number) == text else { throw Failure.invalid(wrong) }
    return number
  }

  private mutating func parseInline() throws -> Parsed {
    let line = input[at...].prefix { $0 != 10 }
    if line.count >= Self.limits.maxLineBytes { throw Failure.invalid("too big inline request") }
    guard line.endIndex < input.count else { throw Failure.incomplete }
    at = line.endIndex + 1
    let text = line.last == 13 ? line.dropLast() : line
    // Quoting has tests of its own, beside a live server.
    guard let words = InlineCommand.split(Array(text).span) else {
      throw Failure.invalid("unbalanced quotes in request")
    }
    return words.isEmpty ? .nothing : .command(words)
  }
}
