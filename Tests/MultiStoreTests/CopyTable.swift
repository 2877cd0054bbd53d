internal import Testing

/// The ways of executing a command. The copy of its effect must not depend on them.
enum Way: CaseIterable {
  case alone, pipeline, transaction, script
  /// A blocking command that is served at once.
  case served
  /// A blocking command that waits until the default store gets an element.
  case blocked
}

/// A failure of one of the stores during the command.
enum Disturbance {
  case none
  /// The other store is down.
  case otherStoreDown
  /// The other store's connection is lost with the copy in flight.
  case copyLost
  /// The other store refuses commands.
  case refused(String)
  /// The default store's connection is lost with the command in flight.
  case outcomeUnknown
}

/// The state of the stores and the counters afterwards.
struct CopyOutcome: Equatable {
  /// The key `k` has the same contents and deadline on both stores; nil if a store can't be asked any more.
  var isSame: Bool? = true
  var isStale = false
  var failures: [String: Int64] = [:]
  var keyCopies: Int64 = 0
  var uncopied: Int64 = 0
}

/// A row of the table.
struct CopyCase: CustomTestStringConvertible {
  let testDescription: String
  /// The lines that set up the default store and the other one.
  var defaultStore: [String] = []
  var otherStore: [String] = []
  /// Whether the other store's key is stale.
  var isStale = false
  var disturbance = Disturbance.none
  /// The command. A blocked one waits until `pushed` is executed on the default store.
  let lines: [Way: String]
  var pushed = ""
  let outcome: CopyOutcome
}

extension [Way: String] {
  fileprivate static func plain(_ line: String) -> Self { [.alone: line, .pipeline: line, .transaction: line] }

  fileprivate static func any(_ line: String) -> Self {
    plain(line).merging([.script: "EVAL return(redis.call(unpack(ARGV))) 1 k \(line)"]) { $1 }
  }

  /// A command that pops, and its blocking relative.
  fileprivate static func pop(_ line: String, served: String) -> Self {
    plain(line).merging([.served: served]) { $1 }
  }
}

private let once: CopyOutcome = CopyOutcome(keyCopies: 1)
private func lacking(_ reason: String) -> CopyOutcome {
  CopyOutcome(isSame: nil, isStale: true, failures: [reason: 1])
}

/// Cases of copying an effect, and their outcomes. No case depends on the way the command comes.
let copyTable: [CopyCase] = [
  CopyCase(
    testDescription: "an effect that can't be repeated",
    lines: .plain("MIGRATE 127.0.0.1 1 k 0 100"),
    outcome: CopyOutcome(isStale: true, uncopied: 1)
  ),
  CopyCase(
    testDescription: "an effect that can't be repeated, and an unknown outcome",
    disturbance: .outcomeUnknown,
    lines: .plain("MIGRATE 127.0.0.1 1 k 0 100"),
    outcome: lacking("default_unknown")
  ),
  CopyCase(
    testDescription: "a copy for a store that is down",
    disturbance: .otherStoreDown,
    lines: .any("SET k v"),
    outcome: lacking("unavailable")
  ),
  CopyCase(
    testDescription: "a guarded copy for a store that is down",
    disturbance: .otherStoreDown,
    lines: .any("INCR k"),
    outcome: lacking("unavailable")
  ),
  CopyCase(
    testDescription: "an element's copy for a store that is down",
    disturbance: .otherStoreDown,
    lines: [.blocked: "BLPOP k 0"],
    pushed: "RPUSH k a b",
    outcome: lacking("unavailable")
  ),
  CopyCase(
    testDescription: "a copy that is lost",
    disturbance: .copyLost,
    lines: .any("SET k v"),
    outcome: lacking("lost")
  ),
  CopyCase(
    testDescription: "a guarded copy that is lost",
    disturbance: .copyLost,
    lines: .any("INCR k"),
    outcome: lacking("lost")
  ),
  CopyCase(
    testDescription: "an element's copy that is lost",
    disturbance: .copyLost,
    lines: [.blocked: "BLPOP k 0"],
    pushed: "RPUSH k a b",
    outcome: lacking("lost")
  ),
  CopyCase(
    testDescription: "a copy that is refused",
    disturbance: .refused("-set -restore"),
    lines: .any("SET k v"),
    outcome: CopyOutcome(isSame: false, isStale: true, failures: ["error_reply": 1])
  ),
  CopyCase(
    testDescription: "an element's copy that is refused",
    disturbance: .refused("-restore"),
    lines: [.blocked: "BLPOP k 0"],
    pushed: "RPUSH k a b",
    outcome: CopyOutcome(isSame: false, isStale: true, failures: ["error_reply": 1])
  ),
  CopyCase(
    testDescription: "a guarded copy for a key of another type",
    defaultStore: ["RPUSH k a"],
    otherStore: ["SET k v"],
    lines: .pop("RPUSH k b", served: "BLPOP k 0"),
    outcome: CopyOutcome(isSame: false, isStale: true, failures: ["error_reply": 1])
  ),
  CopyCase(
    testDescription: "a read by its options, and a store that is down",
    defaultStore: ["RPUSH k 2 1"],
    disturbance: .otherStoreDown,
    lines: .plain("SORT k"),
    outcome: CopyOutcome(isSame: nil)
  ),
  CopyCase(
    testDescription: "a stale key that is changed",
    defaultStore: ["SET k 1"],
    otherStore: ["SET k 7"],
    isStale: true,
    lines: .any("INCR k"),
    outcome: once
  ),
  CopyCase(
    testDescription: "a stale key that is replaced",
    defaultStore: ["SET k 1"],
    otherStore: ["SET k 7"],
    isStale: true,
    lines: .plain("SET k 2"),
    outcome: CopyOutcome()
  ),
  CopyCase(
    testDescription: "a stale key that is set because the default store lacks it",
    otherStore: ["SET k 7"],
    isStale: true,
    lines: .plain("SETNX k 2"),
    outcome: CopyOutcome()
  ),
  CopyCase(
    testDescription: "a stale list that loses an element",
    defaultStore: ["RPUSH k a b"],
    otherStore: ["RPUSH k x y z"],
    isStale: true,
    lines: .pop("LMPOP 1 k LEFT", served: "BLPOP k 0"),
    outcome: once
  ),
  CopyCase(
    testDescription: "a stale list that loses an element to one of many",
    defaultStore: ["RPUSH k a b"],
    otherStore: ["RPUSH k x y z"],
    isStale: true,
    lines: .pop("LMPOP 2 none k RIGHT", served: "BLMPOP 0 2 none k LEFT"),
    outcome: once
  ),
  CopyCase(
    testDescription: "a stale sorted set that loses a member",
    defaultStore: ["ZADD k 1 a 2 b"],
    otherStore: ["ZADD k 1 x 2 y"],
    isStale: true,
    lines: .pop("ZMPOP 1 k MIN", served: "BZPOPMIN k 0"),
    outcome: once
  ),
  CopyCase(
    testDescription: "a stale list that gets an element which is popped at once",
    otherStore: ["RPUSH k x y z"],
    isStale: true,
    lines: [.blocked: "BLPOP k 0"],
    pushed: "RPUSH k a b",
    outcome: once
  ),
  CopyCase(
    testDescription: "a key that the other store lacks",
    defaultStore: ["SET k 1 EX 500"],
    lines: .any("INCR k"),
    outcome: once
  ),
  CopyCase(
    testDescription: "a list that the other store lacks, one of many",
    defaultStore: ["RPUSH k a b"],
    lines: .pop("LMPOP 2 none k LEFT", served: "BLPOP none k 0"),
    outcome: once
  ),
  CopyCase(
    testDescription: "a list that the other store lacks, and the client waits",
    lines: [.blocked: "BLPOP none k 0"],
    pushed: "RPUSH k a b",
    outcome: once
  ),
  CopyCase(
    testDescription: "a time to live for a key of both stores",
    defaultStore: ["SET k v"],
    otherStore: ["SET k v"],
    lines: .plain("EXPIRE k 500"),
    outcome: CopyOutcome()
  ),
  CopyCase(
    testDescription: "a time to live for a key that the other store lacks",
    defaultStore: ["SET k v"],
    lines: .any("EXPIRE k 500"),
    outcome: once
  ),
  CopyCase(
    testDescription: "a value with a time to live",
    lines: .plain("SET k v EX 500"),
    outcome: CopyOutcome()
  ),
  CopyCase(
    testDescription: "a time to live that does not take effect",
    lines: .plain("EXPIRE k 500"),
    outcome: CopyOutcome()
  ),
  CopyCase(
    testDescription: "a time to live, and an unknown outcome",
    disturbance: .outcomeUnknown,
    lines: .any("SET k v EX 500"),
    outcome: lacking("default_unknown")
  ),
  CopyCase(
    testDescription: "an error reply after which nothing was written",
    defaultStore: ["RPUSH k a"],
    otherStore: ["RPUSH k a"],
    lines: .plain("INCR k"),
    outcome: CopyOutcome()
  ),
  CopyCase(
    testDescription: "an error reply after which something may have been written",
    defaultStore: ["RPUSH k a"],
    otherStore: ["RPUSH k a"],
    lines: .plain("EVAL redis.call('RPUSH',KEYS[1],'b');return(redis.call('INCR',KEYS[1])) 1 k"),
    outcome: once
  ),
  CopyCase(
    testDescription: "a script that the default store does not know",
    defaultStore: ["RPUSH k a"],
    otherStore: ["RPUSH k a"],
    lines: .plain("EVALSHA 0123456789012345678901234567890123456789 1 k"),
    outcome: CopyOutcome()
  ),
  CopyCase(
    testDescription: "an unknown outcome",
    defaultStore: ["SET k 1"],
    otherStore: ["SET k 1"],
    disturbance: .outcomeUnknown,
    lines: .any("INCR k"),
    outcome: lacking("default_unknown")
  ),
  CopyCase(
    testDescription: "an unknown outcome of a wait",
    disturbance: .outcomeUnknown,
    lines: [.blocked: "BLPOP k 0"],
    outcome: lacking("default_unknown")
  ),
]
