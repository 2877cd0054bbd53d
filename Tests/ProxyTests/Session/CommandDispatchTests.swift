import MultiStore
import RESP
import Testing

@testable import Proxy

@Suite("The way of a command")
struct CommandDispatchTests {
  private typealias Facts = CommandDispatch.Facts
  private typealias Way = CommandDispatch.Way
  private typealias Answer = CommandDispatch.Answer

  private static let single = Routing(flags: FlagState(), canUsePrimary: true, readPolicy: .fallback)
  private static let dual = Routing(flags: FlagState(dualWrite: true), canUsePrimary: true, readPolicy: .fallback)

  private func spec(_ name: String) throws -> CommandSpec {
    try #require(CommandTable.all.first { $0.name.description == name }, "\(name) is not in the command table")
  }

  /// The way of a command while one store is in use, while both are, and with keys watched in each case.
  private struct Line: CustomTestStringConvertible {
    let name: String
    let single: Way
    let dual: Way
    let singleWatching: Way
    let dualWatching: Way

    init(_ name: String, _ single: Way, dual: Way, singleWatching: Way, dualWatching: Way) {
      self.name = name
      self.single = single
      self.dual = dual
      self.singleWatching = singleWatching
      self.dualWatching = dualWatching
    }

    /// A command that goes one way in all cases.
    init(_ name: String, always way: Way) {
      self.init(name, way, dual: way, singleWatching: way, dualWatching: way)
    }

    var testDescription: String { name }
  }

  private static let reads = ["get", "mget", "hgetall", "dbsize", "randomkey"].map {
    Line($0, .ordinary, dual: .pipeline, singleWatching: .watching, dualWatching: .watching)
  }
  private static let writes = ["set", "del", "publish", "flushall", "copy"].map {
    Line($0, .ordinary, dual: .pipeline, singleWatching: .ordinary, dualWatching: .pipeline)
  }
  private static let pages = ["scan", "hscan", "sscan", "zscan"].map { Line($0, always: .page) }
  private static let withEffect = ["eval", "evalsha", "fcall"].map {
    Line(
      $0,
      .isolated(executesAlone: false),
      dual: .isolated(executesAlone: true),
      singleWatching: .isolated(executesAlone: true),
      dualWatching: .isolated(executesAlone: true)
    )
  }
  private static let withoutEffect = ["eval_ro", "info", "time"].map {
    Line(
      $0,
      .isolated(executesAlone: false),
      dual: .isolated(executesAlone: false),
      singleWatching: .isolated(executesAlone: true),
      dualWatching: .isolated(executesAlone: true)
    )
  }
  private static let waiting = ["wait", "waitaof"].map {
    Line(
      $0,
      .dedicated(executesAlone: false),
      dual: .dedicated(executesAlone: false),
      singleWatching: .dedicated(executesAlone: true),
      dualWatching: .dedicated(executesAlone: true)
    )
  }
  private static let blocking = ["blpop", "brpoplpush", "bzpopmin"].map { Line($0, always: .blocking) }
  private static let answered = ["ping", "select", "client|list", "multi", "watch", "subscribe", "unsubscribe"].map {
    Line($0, always: .answered)
  }

  @Test(arguments: reads + writes + pages + withEffect + withoutEffect + waiting + blocking + answered)
  private func `depends on its class, the routing and whether keys are watched`(line: Line) throws {
    let spec = try spec(line.name)
    let cases = [
      (Self.single, false, line.single), (Self.dual, false, line.dual), (Self.single, true, line.singleWatching),
      (Self.dual, true, line.dualWatching),
    ]
    for (routing, isWatching, way) in cases {
      let facts = Facts(isWatching: isWatching, hasPrimary: true)
      #expect(CommandDispatch.way(of: spec, spec.commandClass, routing: routing, facts) == way)
    }
  }

  @Test func `is found for every command of the table in every state of the session`() {
    for spec in CommandTable.all {
      for routing in [Self.single, Self.dual] {
        for isWatching in [false, true] {
          let facts = Facts(isWatching: isWatching, hasPrimary: true)
          let way = CommandDispatch.way(of: spec, spec.commandClass, routing: routing, facts)
          let isStored = [.read, .keyspaceRead, .write].contains(spec.commandClass)
          #expect(
            (way == .pipeline) == (isStored && routing.isDual && !(isWatching && way == .watching) && way != .page)
          )
          #expect(way != .endOfWatch, "no flip waits")
          #expect((way == .raw) == spec.traits.contains(.answeredWhileBusy), "no reply is deep")
          if way == .watching { #expect(isWatching && spec.commandClass != .write) }
          #expect((way == .answered) == [.connection, .transaction, .pubsub].contains(spec.commandClass))
        }
      }
    }
  }

  @Test(arguments: [false, true])
  func `of a command that waits for keys is its own`(isWatching: Bool) throws {
    let facts = Facts(isWatching: isWatching, hasPrimary: true, awaitsKeys: true)
    for routing in [Self.single, Self.dual] {
      func way(_ name: String) throws -> Way {
        let spec = try spec(name)
        return CommandDispatch.way(of: spec, spec.commandClass, routing: routing, facts)
      }
      for name in ["get", "mget"] { #expect(try way(name) == .awaiting(isWatching: isWatching)) }
      for name in ["set", "incr", "lmove"] { #expect(try way(name) == .awaiting(isWatching: false)) }
      for name in ["eval", "eval_ro"] { #expect(try way(name) == .isolated(executesAlone: true)) }
      #expect(try way("blpop") == .blocking)
      #expect(try way("hscan") == .page)
    }
  }

  @Test(arguments: ["scan", "hscan"])
  func `of an iteration is a read's where there is one store`(name: String) throws {
    let spec = try spec(name)
    #expect(CommandDispatch.way(of: spec, spec.commandClass, routing: Self.single, Facts()) == .ordinary)
  }

  @Test func `follows the class that the options give it`() throws {
    let spec = try spec("xread")
    #expect(CommandDispatch.way(of: spec, .read, routing: Self.dual, Facts()) == .pipeline)
    #expect(CommandDispatch.way(of: spec, .blocking, routing: Self.dual, Facts()) == .blocking)
  }

  @Test(arguments: ["script|kill", "function|kill", "function|stats"])
  func `leads past everything else for what a busy store executes`(name: String) throws {
    let spec = try spec(name)
    for routing in [Self.single, Self.dual] {
      #expect(CommandDispatch.way(of: spec, spec.commandClass, routing: routing, Facts(isWatching: true)) == .raw)
    }
  }

  @Test func `leads past hiredis for a deep reply, whatever else is so`() throws {
    for name in ["command|docs", "eval", "wait"] {
      let spec = try spec(name)
      for routing in [Self.single, Self.dual] {
        for isWatching in [false, true] {
          let facts = Facts(isWatching: isWatching, hasPrimary: true, hasDeepReply: true)
          #expect(CommandDispatch.way(of: spec, spec.commandClass, routing: routing, facts) == .raw)
        }
      }
    }
  }

  @Test(arguments: [
    ("blpop", true), ("subscribe", true), ("get", false), ("set", false), ("eval", false), ("exec", false),
  ])
  func `ends a watch that a flip waits for before the client blocks or subscribes`(name: String, ends: Bool) throws {
    let spec = try spec(name)
    let facts = Facts(isWatching: true, flipAwaitsWatch: true, hasPrimary: true)
    let way = CommandDispatch.way(of: spec, spec.commandClass, routing: Self.dual, facts)
    #expect((way == .endOfWatch) == ends)
  }

  private static let loggedOut = Facts(isLoggedIn: false)
  private static let transaction = Facts(isInTransaction: true)
  private static let subscribed = Facts(isSubscribed: true)

  @Test(
    arguments: [
      ("get", 2, loggedOut, .notLoggedIn), ("exec", 1, loggedOut, .notLoggedIn), ("ping", 1, loggedOut, .notLoggedIn),
      ("auth", 2, loggedOut, .connection), ("hello", 1, loggedOut, .connection), ("quit", 1, loggedOut, .quit),
      ("reset", 1, loggedOut, .reset), ("reset", 2, loggedOut, .wrongNumberOfArguments),
      ("auth", 1, loggedOut, .wrongNumberOfArguments),

      ("ping", 1, Facts(), .connection), ("select", 2, Facts(), .connection), ("multi", 1, Facts(), .transaction),
      ("watch", 2, Facts(), .transaction), ("subscribe", 2, Facts(), .subscription), ("quit", 1, Facts(), .quit),
      ("reset", 1, Facts(), .reset), ("exec", 2, Facts(), .malformedExec), ("get", 1, Facts(), .wrongNumberOfArguments),

      ("get", 2, transaction, .queued), ("get", 1, transaction, .queued), ("ping", 1, transaction, .queued),
      ("subscribe", 2, transaction, .queued), ("unwatch", 1, transaction, .queued), ("watch", 1, transaction, .queued),
      ("watch", 2, transaction, .transaction), ("multi", 1, transaction, .transaction),
      ("exec", 1, transaction, .transaction), ("exec", 2, transaction, .malformedExec),
      ("discard", 1, transaction, .transaction), ("quit", 1, transaction, .quit), ("reset", 1, transaction, .reset),

      ("get", 2, subscribed, .subscriber), ("ping", 1, subscribed, .subscriber), ("exec", 2, subscribed, .subscriber),
      ("unsubscribe", 1, subscribed, .subscriber), ("quit", 1, subscribed, .quit), ("reset", 1, subscribed, .reset),
      ("reset", 2, subscribed, .subscriber),
    ] as [(String, Int, Facts, Answer)]
  )
  private func `of an answer depends on login, transaction and subscription`(
    name: String,
    argumentCount: Int,
    facts: Facts,
    answer: Answer
  ) throws {
    #expect(CommandDispatch.answer(to: try spec(name), argumentCount: argumentCount, facts) == answer)
  }
}
