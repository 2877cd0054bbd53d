import TestSupport
import Testing

@testable import RESP

@Suite("Hazards of commands")
struct CommandHazardTests {
  /// The hazards that the inventory gives to scripts because of what it has seen of them.
  private static let observed: Set<CommandHazard> = [.unnamedKeys, .scriptWithoutKeys]

  @Test func `each hazard has one sentence of its own, and a command that has it`() {
    let found = CommandTable.all.flatMap { [$0.hazard(as: $0.commandClass), $0.hazard(as: $0.classByOptions)] }
    for hazard in CommandHazard.allCases {
      #expect(found.contains(hazard) != Self.observed.contains(hazard), "\(hazard) of a command of the table")
      let sentence = hazard.sentence
      #expect(sentence.hasSuffix(".") && sentence.count { $0 == "." } == 1, "\(hazard): \(sentence)")
      #expect(sentence.contains(":"), "\(hazard) does not say what to do: \(sentence)")
    }
    #expect(Set(CommandHazard.allCases.map(\.sentence)).count == CommandHazard.allCases.count)
  }

  @Test(
    "the class and the effect decide",
    arguments: [
      ("GET k", nil), ("SET k v", nil), ("MGET a b", nil), ("SPOP k", nil), ("XADD k * f v", nil), ("PING", nil),
      ("INFO", nil), ("SCRIPT LOAD x", nil), ("XREAD BLOCK 0 STREAMS k 0", nil), ("SORT k", nil), ("GETEX k", nil),
      ("MADE-UP", .unknownCommand), ("CONFIG GET x", .unlisted), ("EVAL x 0", .script), ("EVAL_RO x 0", nil),
      ("BLPOP k 0", .blocking), ("XREADGROUP GROUP g c BLOCK 0 STREAMS k >", .blocking),
      ("XREADGROUP GROUP g c STREAMS k >", .wholeKeyCopy), ("SORT k STORE l", .wholeKeyCopy),
      ("RENAME a b", .wholeKeyCopy), ("SUNION a b", .mergedRead), ("PFCOUNT a b", .mergedRead),
      ("SCAN 0", .wholeKeyspace), ("MIGRATE h 1 k 0 9", .uncopied), ("MOVE k 1", .anotherDatabase),
      ("SWAPDB 0 1", .refused), ("FLUSHALL", .flush), ("WAIT 1 0", .replicas), ("WATCH k", .watch),
      ("SYNC", .refused), ("MONITOR", nil), ("CLIENT PAUSE 1", nil), ("CLIENT ID", nil),
    ] as [(String, CommandHazard?)]
  )
  func hazard(_ command: String, _ expected: CommandHazard?) {
    let words = command.split(separator: " ").map { Array($0.utf8) }
    let subcommand = words.count > 1 ? words[1] : []
    let name = words[0]
    let spec = CommandTable.spec(CommandTable.lookup(name.span, subcommand: subcommand.span))
    let bytes = RESPClient.encode(words)
    let commandClass = spec.commandClass(ofCommand: bytes.span)
    #expect(spec.hazard(as: commandClass) == expected)
  }

  @Test func `a command has the table's class or the one that its options give it`() {
    for spec in CommandTable.all {
      #expect(spec.classByOptions == spec.commandClass || !spec.traits.isDisjoint(with: CommandSpec.decidedByOptions))
    }
    #expect(CommandTable.spec(CommandTable.id(ofKnown: "sort")).classByOptions == .read)
    #expect(CommandTable.spec(CommandTable.id(ofKnown: "xread")).classByOptions == .blocking)
  }
}
