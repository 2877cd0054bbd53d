internal import RESP
internal import TestSupport
internal import Testing

/// What a time may differ by between two servers that are asked one after the other, in milliseconds or seconds.
private let timeTolerance = 20_000

@Suite("Command table: misses and comparisons")
struct CommandMissTests {
  @Test("Each command that can miss has a sample")
  func samplesAreComplete() {
    let sampled = Set(MissSample.all.map { Words($0.command).spec.id })
    let mayRead: CommandTraits = [.readsUnlessStore, .readsWithoutOptions, .readsUnlessBitsChange]
    for spec in CommandTable.all where spec.commandClass == .read || !spec.traits.isDisjoint(with: mayRead) {
      #expect(sampled.contains(spec.id), "\(spec.name)")
    }
    for sample in MissSample.all {
      let command = Words(sample.command)
      #expect(command.spec.commandClass(of: command) == .read, "\(sample.command)")
    }
  }

  @Test("An absent key is a miss, a present one is none", arguments: LiveServer.present)
  func missRules(server: LiveServer) throws {
    let instance = try server.start()
    let client = try instance.client()
    let known = try ReportedCommand.all(of: client)
    for sample in MissSample.all {
      let spec = Words(sample.command).spec
      guard known[spec.name.description] != nil else { continue }
      let absent = try client.command(words(sample.command))
      try setUp(sample, client)
      let present = try client.command(words(sample.command))
      try client.command("FLUSHALL")
      #expect(present.errorText == nil, "\(sample.command)")
      #expect(!isMiss(present, spec.miss), "\(sample.command): \(present) is a miss by \(spec.miss)")
      #expect(isMiss(absent, spec.miss), "\(sample.command): \(absent) is no miss by \(spec.miss)")
    }
  }

  @Test(
    "Redis' and Valkey's replies about the same data agree as the table compares them",
    .enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)")
  )
  func comparisons() throws {
    let servers = try LiveServer.allCases.map { try $0.start() }
    let clients = try servers.map { try $0.client() }
    let known = try ReportedCommand.all(of: clients[0])
    var disagreeAsText = 0
    for sample in MissSample.all where known[Words(sample.command).spec.name.description] != nil {
      let comparison = Words(sample.command).spec.comparison
      let replies = try clients.map { client in
        try setUp(sample, client)
        let reply = try client.command(words(sample.command))
        try client.command("FLUSHALL")
        return reply
      }
      #expect(agree(replies[0], replies[1], comparison), "\(sample.command): \(replies)")
      if comparison == .scores, replies[0] != replies[1] { disagreeAsText += 1 }
    }
    // Without this comparison each of them would be reported as a difference between the stores.
    #expect(disagreeAsText > 0)
  }

  private func setUp(_ sample: MissSample, _ client: RESPClient) throws {
    for line in sample.setup {
      let reply = try client.command(words(line))
      #expect(reply.errorText == nil, "\(line)")
    }
  }

  /// The rules as their documentation says them, on a reply of the tests' own kind.
  private func isMiss(_ reply: RESPReply, _ rule: MissRule) -> Bool {
    let isNull = reply == .bulk(nil) || reply == .array(nil)
    switch rule {
    case .never: return false
    case .null: return isNull
    case .emptyString: return reply == .text("")
    case .zero: return reply == .integer(0)
    case .emptyCollection: return reply == .array([])
    case .anyNullElement:
      return reply.elements?.contains { $0 == .bulk(nil) || $0 == .array(nil) } ?? false
    case .minusTwo: return reply == .integer(-2)
    case .noneStatus: return reply == .simple("none")
    case .emptyScan: return reply == .array([.text("0"), .array([])])
    case .nullOrEmpty: return isNull || reply == .array([])
    case .allZero: return reply.elements?.allSatisfy { $0 == .integer(0) } ?? false
    case .allMinusTwo: return reply.elements?.allSatisfy { $0 == .integer(-2) } ?? false
    case .bitPosition: return reply == .integer(0) || reply == .integer(-1)
    case .noKeyError:
      return reply.errorText == "ERR no such key" || reply.errorText?.hasPrefix("NOGROUP No such key") == true
    case .lcs: return reply == .text("") || reply == .integer(0) || reply.elements?[3] == .integer(0)
    }
  }

  private func agree(_ one: RESPReply, _ other: RESPReply, _ comparison: Comparison) -> Bool {
    switch comparison {
    case .ordered: return one == other
    case .unordered:
      return one.elements.map(counted) == other.elements.map(counted)
    case .unorderedPairs:
      return one.elements.map { counted(pairs($0)) } == other.elements.map { counted(pairs($0)) }
    case .seconds, .milliseconds:
      guard let (first, second) = numbers(one, other) else { return one == other }
      return abs(first - second) <= timeTolerance && (first < 0) == (second < 0)
    case .scores:
      guard let elements = one.elements, let others = other.elements else { return isSameScore(one, other) }
      return elements.count == others.count && zip(elements, others).allSatisfy { agree($0, $1, .scores) }
    case .ignored: return true
    }
  }

  private func counted(_ elements: [RESPReply]) -> [RESPReply: Int] {
    elements.reduce(into: [:]) { counts, element in counts[element, default: 0] += 1 }
  }

  private func pairs(_ elements: [RESPReply]) -> [RESPReply] {
    stride(from: 0, to: elements.count - 1, by: 2).map { .array(Array(elements[$0...$0 + 1])) }
  }

  private func numbers(_ one: RESPReply, _ other: RESPReply) -> (Int, Int)? {
    guard let first = one.integer, let second = other.integer else { return nil }
    return (first, second)
  }

  private func isSameScore(_ one: RESPReply, _ other: RESPReply) -> Bool {
    guard let first = one.string.flatMap(Double.init), let second = other.string.flatMap(Double.init) else {
      return one == other
    }
    return first == second
  }
}
