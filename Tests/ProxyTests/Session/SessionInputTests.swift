import RESP
import Testing

@testable import Proxy

@Suite("The input of a session")
struct SessionInputTests {
  private let input = SessionInput(limits: ParserLimits(), spares: SpareBuffers())

  /// A command whose argument has `count` bytes.
  private func command(_ count: Int) -> [UInt8] {
    Array("*2\r\n$4\r\nECHO\r\n$\(count)\r\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: count)
      + Array("\r\n".utf8)
  }

  @discardableResult
  private func keep(_ bytes: [UInt8], reading rest: [UInt8] = [], upTo readRoom: Int = .max) -> Int {
    input.keep(bytes.span, mayReserve: true, readRoom: readRoom) { output in
      for byte in rest.prefix(output.freeCapacity) { output.append(byte) }
    }
  }

  /// Takes one whole command, as a session does.
  private func next(_ bytes: Span<UInt8>) -> SessionInput.Progress {
    switch input.parse(bytes) {
    case .command(let command) where input.isToBeDetached(command, of: bytes.count):
      SessionInput.Progress(largeLength: command.length)
    case .command(let command): SessionInput.Progress(consumed: command.length)
    case .nothing(let length): SessionInput.Progress(consumed: length)
    case .needsMore, .invalid: SessionInput.Progress()
    }
  }

  @Test func `is taken command by command`() {
    let (first, second) = (command(3), command(5))
    keep(first + second.prefix(4))
    #expect(input.take(next) && input.count == 4)
    #expect(!input.take(next) && input.count == 4, "the rest has not arrived")
    keep(Array(second.dropFirst(4)))
    #expect(input.take(next) && input.count == 0)
  }

  @Test func `detaches a large command with its memory, and lends it before what is behind it`() throws {
    let large = command(SessionInput.largeCommandBytes)
    keep(large + command(1))
    #expect(input.take(next))
    let detached = try #require(input.largeCommand)
    #expect(detached.count == large.count && input.count == large.count + command(1).count)
    #expect(!input.take { _ in SessionInput.Progress() }, "it has to wait")
    #expect(input.largeCommand === detached)
    #expect(input.take(next) && input.largeCommand == nil && input.count == command(1).count)
  }

  @Test func `copies a large command rather than more bytes behind it`() {
    let large = command(SessionInput.largeCommandBytes)
    keep(large + Array(repeating: UInt8(ascii: "\n"), count: large.count + 1))
    #expect(input.take(next) && input.largeCommand == nil && input.count == large.count + 1)
  }

  @Test func `reads the rest of a large command to its place, and nothing behind it`() {
    let large = command(SessionInput.largeCommandBytes)
    let beginning = Array(large.prefix(100))
    guard case .needsMore = input.parse(beginning.span) else { return #expect(Bool(false), "it is incomplete") }
    #expect(input.knownLength == large.count)
    #expect(keep(beginning, reading: Array(large.dropFirst(100)) + command(1)) == large.count - 100)
    #expect(input.count == large.count)
    #expect(input.take(next) && input.largeCommand?.count == large.count)
  }

  @Test func `is not read directly for a small command, nor without room`() {
    let beginning = Array(command(100).prefix(50))
    _ = input.parse(beginning.span)
    keep(beginning, reading: [1])
    #expect(input.count == beginning.count)
    input.removeAll()
    let other = SessionInput(limits: ParserLimits(), spares: SpareBuffers())
    let large = Array(command(SessionInput.largeCommandBytes).prefix(50))
    _ = other.parse(large.span)
    let readBytes = other.keep(large.span, mayReserve: false, readRoom: .max) { $0.append(1) }
    #expect(readBytes == 0 && input.count == 0 && other.count == large.count)
  }

  @Test func `reads no more of a large command than there is room for in the turn`() {
    let large = command(SessionInput.largeCommandBytes)
    let beginning = Array(large.prefix(100))
    _ = input.parse(beginning.span)
    #expect(keep(beginning, reading: Array(large.dropFirst(100)), upTo: 10) == 10 && input.count == 110)
    #expect(keep(Array(large[110..<120]), reading: Array(large.dropFirst(120)), upTo: 0) == 0 && input.count == 120)
  }

  @Test func `refuses only a command that has begun`() {
    #expect(!input.refuse() && !input.isRefusing)
    let beginning = Array(command(100).prefix(50))
    _ = input.parse(beginning.span)
    keep(beginning)
    #expect(input.refuse() && input.isRefusing)
    #expect(!input.refuse(), "it is refused already")
  }

  @Test func `skips a refused command as it arrives, and answers in its turn`() {
    let whole = command(100)
    let (beginning, middle, end) = (Array(whole[..<50]), Array(whole[50..<90]), Array(whole[90...]))
    _ = input.parse(beginning.span)
    keep(beginning)
    #expect(input.refuse())
    var skips: [SessionInput.Skip] = []
    func skip(_ isNext: Bool) {
      _ = input.take { bytes in
        skips.append(input.skip(bytes, isNext: isNext))
        return SessionInput.Progress(consumed: skips[skips.count - 1].consumed)
      }
    }
    skip(false)
    #expect(skips.last == SessionInput.Skip(consumed: beginning.count) && input.count == 0)
    keep(middle)
    skip(true)
    #expect(skips.last == SessionInput.Skip(consumed: middle.count, isAnswerDue: true))
    keep(end + command(3))
    skip(true)
    #expect(skips.last == SessionInput.Skip(consumed: end.count), "it is answered once")
    #expect(!input.isRefusing && input.take(next) && input.count == 0)
  }

  /// Whether or not its beginning was skipped before, its end must not be taken for other commands.
  @Test(arguments: [false, true])
  func `keeps what follows a refused command until that is answered`(isForgotten: Bool) {
    let whole = Array("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$18\r\nv\nFLUSHALL\nQUIT\n\r\n\r\n".utf8)
    let (beginning, end) = (Array(whole.prefix(28)), Array(whole.dropFirst(28)))
    _ = input.parse(beginning.span)
    keep(beginning)
    #expect(input.refuse())
    if isForgotten {
      #expect(input.skip(beginning.span, isNext: false) == SessionInput.Skip(consumed: beginning.count))
    }
    let rest = isForgotten ? end : whole
    let following = command(3)
    let all = rest + following
    #expect(input.skip(all.span, isNext: false) == SessionInput.Skip(consumed: rest.count) && input.isRefusing)
    #expect(input.skip(following.span, isNext: false) == SessionInput.Skip() && input.isRefusing)
    #expect(input.skip(following.span, isNext: true) == SessionInput.Skip(isAnswerDue: true) && !input.isRefusing)
    guard case .command(let parsed) = input.parse(following.span) else {
      Issue.record()
      return
    }
    #expect(parsed.length == following.count)
  }

  @Test func `reports what is no RESP behind a refused command's beginning`() {
    let beginning = Array("*2\r\n$4\r\nECHO\r\n".utf8)
    _ = input.parse(beginning.span)
    keep(beginning)
    #expect(input.refuse())
    let wrong = beginning + Array("nonsense\r\n".utf8)
    let skip = input.skip(wrong.span, isNext: true)
    #expect(skip.error != nil && skip.isAnswerDue && skip.consumed == wrong.count && !input.isRefusing)
  }

  @Test func `reports what is no RESP only when the replies before it are there`() {
    let beginning = Array("*2\r\n$4\r\nECHO\r\n".utf8)
    _ = input.parse(beginning.span)
    keep(beginning)
    #expect(input.refuse())
    let wrong = beginning + Array("nonsense\r\n".utf8)
    #expect(input.skip(wrong.span, isNext: false) == SessionInput.Skip(consumed: wrong.count) && input.isRefusing)
    let more = Array("more\r\n".utf8)
    #expect(input.skip(more.span, isNext: false) == SessionInput.Skip(consumed: more.count))
    let skip = input.skip(more.span, isNext: true)
    #expect(skip.error != nil && skip.isAnswerDue && skip.consumed == more.count && !input.isRefusing)
  }
}
