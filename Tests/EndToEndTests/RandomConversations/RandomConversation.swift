import TestSupport

/// What one client says at random in one go: small and large, answered by stores and by the sidecar, in all modes of
/// a connection. The same for the same seed. Nothing that blocks is among it: who ends while it waits is gone.
struct RandomConversation {
  /// What comes last, and is answered in any case.
  static let end = "that is all"

  /// From what is copied everywhere to more than a client may be owed.
  private static let sizes = [1, 10, 10, 10, 5000, 70_000, 300_000, 1_200_000]
  /// Bytes that are sent at once.
  private static let pieces = [7, 100, 1000, 70_000, 400_000, 3_000_000]

  /// The commands, for a message about them.
  private(set) var commands: [[String]] = []
  private var generator: SplitMix64

  init(seed: UInt64) {
    generator = SplitMix64(state: seed)
    for _ in 0..<Int.random(in: 1...40, using: &generator) { commands += next() }
    commands.append(["ECHO", Self.end])
  }

  /// The conversation as it is sent, in pieces that mind no command's end.
  mutating func bytes() -> [ArraySlice<UInt8>] {
    var rest = commands.flatMap { RESPClient.encode($0) }[...]
    var result: [ArraySlice<UInt8>] = []
    while !rest.isEmpty {
      let count = Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &generator)]
      result.append(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    return result
  }

  /// A command, or several that belong together.
  private mutating func next() -> [[String]] {
    let size = Self.sizes[Int.random(in: 0..<Self.sizes.count, using: &generator)]
    let key = Bool.random(using: &generator) ? "s1" : "s2"
    let value = String(repeating: key, count: size / 2 + 1)
    let increments = Array(repeating: ["INCR", "n"], count: 3)
    return switch Int.random(in: 0...20, using: &generator) {
    case 0: [["SET", key, value]]
    case 1: [["APPEND", key, String(value.prefix(70_000))]]
    case 2, 3: [["GET", key]]
    case 4: [["MSET", key, value, "s3", "v"], ["MGET", key, "s3", "none"]]
    case 5: increments
    case 6: [["RPUSH", "l", value]]
    case 7: [["LRANGE", "l", "0", "4"]]
    case 8: [["LTRIM", "l", "0", "5"], ["LPOP", "l"]]
    case 9: [["DEL", key], ["SET", "t", value, "EXAT", "4000000000"], ["STRLEN", "t"]]
    case 10: [["ECHO", value]]
    case 11: [["PING"], ["NOSUCH", "command"], ["GET"]]
    case 12: [["MULTI"], ["GET", key], ["INCR", "n"], ["LRANGE", "l", "0", "3"], ["EXEC"]]
    case 13: [["MULTI"], ["SET", key, value], ["DISCARD"]]
    case 14: [["WATCH", key], ["MULTI"], ["INCR", "n"], ["EXEC"]]
    case 15: [["CLIENT", "REPLY", "SKIP"], ["ECHO", value], ["CLIENT", "REPLY", "SKIP"], ["INCR", "n"]]
    case 16: [["CLIENT", "REPLY", "OFF"]] + increments + [["ECHO", value], ["CLIENT", "REPLY", "ON"]]
    case 17: [["SELECT", "1"], ["INCR", "n"], ["SELECT", "0"]]
    case 18: [["SELECT", "1"], ["INCR", "n"], ["RESET"]]
    case 19: [["SUBSCRIBE", "c"], ["PING"], ["UNSUBSCRIBE", "c"]]
    default: [["EVAL", "return redis.call('INCR', KEYS[1])", "1", "n"]]
    }
  }
}
