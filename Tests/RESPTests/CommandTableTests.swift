internal import RESP
internal import Testing

/// The words of one command in one array, as a session has them.
struct Words: CommandArguments {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  /// Words that spaces separate; `''` is the empty one.
  init(_ line: String) {
    for word in line.split(separator: " ") {
      if word != "''" { bytes += word.utf8 }
      ends.append(bytes.count)
    }
  }

  var argumentCount: Int { ends.count }

  @_lifetime(borrow self)
  borrowing func argument(at index: Int) -> Span<UInt8> {
    bytes.span.extracting((index == 0 ? 0 : ends[index - 1])..<ends[index])
  }

  /// The word at `index` as text.
  func text(at index: Int) -> String {
    String(decoding: bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]], as: UTF8.self)
  }

  /// The table's line for these words.
  var spec: CommandSpec {
    let isAlone = argumentCount == 1
    return CommandTable.spec(
      isAlone
        ? CommandTable.lookup(argument(at: 0))
        : CommandTable.lookup(argument(at: 0), subcommand: argument(at: 1))
    )
  }
}

extension CommandTable {
  /// Which command `name` is.
  static func lookup(_ name: String) -> CommandID {
    let bytes = Array(name.utf8)
    return lookup(bytes.span)
  }

  /// Which command `name` with `subcommand` is.
  static func lookup(_ name: String, subcommand: String) -> CommandID {
    let (bytes, subcommandBytes) = (Array(name.utf8), Array(subcommand.utf8))
    return lookup(bytes.span, subcommand: subcommandBytes.span)
  }

  /// The line of a command or subcommand, by the name that the servers give it; nil if there is none.
  static func line(named name: String) -> CommandSpec? {
    let parts = name.split(separator: "|").map(String.init)
    let id = parts.count == 2 ? lookup(parts[0], subcommand: parts[1]) : lookup(parts[0])
    // An unknown subcommand gives its container's line.
    return id != .other && spec(id).name.description == name ? spec(id) : nil
  }
}

@Suite("Command table: lookup")
struct CommandTableTests {
  @Test("Every line is found by its name, in lower, upper and mixed case")
  func everyLineIsFound() {
    for (index, spec) in CommandTable.all.enumerated().dropFirst() {
      #expect(Int(spec.id.rawValue) == index)
      let name = spec.name.description
      let mixed = String(name.enumerated().map { $0.offset % 2 == 0 ? Character($0.element.uppercased()) : $0.element })
      for spelling in [name, name.uppercased(), mixed] {
        let parts = spelling.split(separator: "|").map(String.init)
        let found =
          parts.count == 2 ? CommandTable.lookup(parts[0], subcommand: parts[1]) : CommandTable.lookup(parts[0])
        #expect(found == spec.id, "\(spelling)")
      }
    }
  }

  @Test("Lines are in alphabetical order, after the one for unknown names")
  func order() {
    let names = CommandTable.all.map(\.name.description)
    #expect(names.first == "other")
    #expect(Array(names.dropFirst()) == names.dropFirst().sorted())
    #expect(Set(names).count == names.count)
  }

  @Test("What no server knows is `other`")
  func unknownNames() {
    let unknown = ["", "ge", "gett", "other", "object|freq", "GET ", "get\0", "gеt", "\0", "config|get", "freq", "@ET"]
    for name in unknown {
      #expect(CommandTable.lookup(name) == .other, "\(name.debugDescription)")
      #expect(CommandTable.lookup(name, subcommand: "freq") == .other, "\(name.debugDescription)")
    }
  }

  @Test("An unknown subcommand gives the container, and a command without subcommands ignores its argument")
  func subcommands() {
    #expect(CommandTable.lookup("OBJECT", subcommand: "Freq") != CommandTable.lookup("object"))
    for unknown in ["", "freqq", "create", "object|freq"] {
      #expect(CommandTable.lookup("object", subcommand: unknown) == CommandTable.lookup("object"))
    }
    #expect(CommandTable.lookup("get", subcommand: "freq") == .get)
  }

  @Test("Random names and names that differ by one byte give no false hits")
  func fuzz() {
    let known = Dictionary(
      uniqueKeysWithValues: CommandTable.all.dropFirst().compactMap { spec in
        spec.id == spec.labelID ? (Array(spec.name.description.utf8), spec.id) : nil
      }
    )
    let names = Array(known.keys).sorted { $0.lexicographicallyPrecedes($1) }
    var random = Xorshift()
    for _ in 0..<200_000 {
      var name = names[Int(random.next() % UInt64(names.count))]
      switch random.next() % 4 {
      case 0: name = (0..<random.next() % 30).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      case 1: name[Int(random.next() % UInt64(name.count))] = UInt8(truncatingIfNeeded: random.next())
      case 2: name.remove(at: Int(random.next() % UInt64(name.count)))
      default: name.append(UInt8(truncatingIfNeeded: random.next()))
      }
      let lowercase = name.map { (65...90).contains($0) ? $0 + 32 : $0 }
      #expect(CommandTable.lookup(name.span) == known[lowercase] ?? .other, "\(name)")
    }
  }

  @Test("The label is the command's name, a subcommand's its container's")
  func labels() {
    #expect(CommandTable.spec(.get).label == "get")
    #expect(CommandTable.spec(.other).label == "other")
    #expect(CommandTable.spec(CommandTable.lookup("OBJECT", subcommand: "FREQ")).label == "object")
    let labels = Set(CommandTable.all.map(\.label))
    #expect(labels.allSatisfy { !$0.contains("|") })
  }

  @Test(
    "The named IDs are those of the table",
    arguments: [
      (CommandID.auth, "auth"), (.client, "client"), (.clientGetName, "client|getname"), (.clientID, "client|id"),
      (.clientSetInfo, "client|setinfo"), (.clientSetName, "client|setname"), (.discard, "discard"), (.echo, "echo"),
      (.exec, "exec"), (.get, "get"), (.hello, "hello"), (.hmget, "hmget"), (.info, "info"), (.mget, "mget"),
      (.multi, "multi"), (.ping, "ping"), (.quit, "quit"), (.reset, "reset"), (.select, "select"), (.set, "set"),
      (.unwatch, "unwatch"), (.watch, "watch"),
    ]
  )
  func namedIDs(id: CommandID, name: String) {
    #expect(CommandTable.spec(id).name.description == name)
  }

  @Test("Argument counts are held against the arity as the servers mean it")
  func arity() {
    let get = CommandTable.spec(.get)
    #expect([1, 2, 3].map(get.accepts) == [false, true, false])
    let set = CommandTable.spec(.set)
    #expect([1, 2, 3, 4].map(set.accepts) == [false, false, true, true])
    #expect([1, 2, 1000].map(CommandTable.spec(.other).accepts) == [true, true, true])
  }

  @Test("What is refused is no data command, only what writes has effects, and only reads can miss")
  func consistency() {
    for spec in CommandTable.all {
      let isData = spec.commandClass == .read || spec.commandClass == .write
      #expect(!(isData && spec.isRefused), "\(spec.name)")
      let mayWrite = [.write, .blocking, .script].contains(spec.commandClass)
      #expect(mayWrite || spec.effect == .none, "\(spec.name)")
      let mayRead = !spec.traits.isDisjoint(with: [
        .readsUnlessStore, .readsWithoutOptions, .readsUnlessBitsChange,
      ])
      #expect(spec.commandClass == .read || mayRead || spec.miss == .never, "\(spec.name)")
    }
  }
}

/// A generator that gives the same numbers in each run.
private struct Xorshift {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
