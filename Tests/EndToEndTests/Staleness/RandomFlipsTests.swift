import TestSupport
import Testing

/// Random commands through the four states, while copies to the other store fail now and then. A server that nothing
/// else uses says what is right.
@Suite("Random flips with stale keys")
struct RandomFlipsTests {
  @Test(arguments: ["fallback", "default_store"], [UInt64(1), 2])
  func `no answer is wrong`(policy: String, seed: UInt64) throws {
    let deployment = try Deployment(.dual, instance: ["read_policy: \(policy)", "event_rate_limit: 1"])
    let reference = try RedisServer()
    let (client, direct) = (try deployment.client(), try reference.client())
    var commands = RandomCommands(seed: seed)
    var state = MigrationState.dual
    var isFull = false
    for step in 0..<3000 {
      if commands.chance(of: 40) {
        // Copies are refused while the other store has no memory for them.
        if isFull { try fill(deployment, state, false) }
        state = commands.state()
        try deployment.move(to: state)
        isFull = commands.chance(of: 2)
        if isFull { try fill(deployment, state, true) }
      }
      let conversation = commands.next()
      let isPipelined = commands.chance(of: 3)
      let replies = try isPipelined ? client.pipeline(conversation) : conversation.map { try client.command($0) }
      let expected = try conversation.map { try direct.command($0) }
      guard replies == expected else {
        throw TestSupportError(
          .malformed,
          "step \(step) in \(state), \(isFull ? "other store full" : ""): \(conversation): \(replies), not \(expected)"
        )
      }
    }
    if isFull { try fill(deployment, state, false) }
    try deployment.move(to: .dual)
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    try eventually("the stores are equal") {
      try StoreComparison.difference(old: old, new: new, isComplete: true) == nil
    }
  }

  private func fill(_ deployment: Deployment, _ state: MigrationState, _ isFull: Bool) throws {
    let other = state.primaryIsDefault ? deployment.secondary : deployment.primary
    let reply = try other.client().command("CONFIG", "SET", "maxmemory", isFull ? "1" : "0")
    guard reply == .ok else { throw TestSupportError(.malformed, "CONFIG SET: \(reply)") }
  }
}

/// Commands of all kinds about a few keys, the same for the same seed.
private struct RandomCommands {
  private var generator: SplitMix64

  init(seed: UInt64) {
    generator = SplitMix64(state: seed)
  }

  /// True once in `count` times.
  mutating func chance(of count: Int) -> Bool { Int.random(in: 0..<count, using: &generator) == 0 }

  mutating func state() -> MigrationState { MigrationState.allCases.randomElement(using: &generator) ?? .off }

  private mutating func key(_ prefix: String) -> String { "\(prefix)\(Int.random(in: 0..<4, using: &generator))" }

  private mutating func value() -> String { String(Int.random(in: 0..<1000, using: &generator)) }

  /// A command, or several that belong together.
  mutating func next() -> [[String]] {
    let (s, t, h, l, m, z, x, v) = (key("s"), key("s"), key("h"), key("l"), key("l"), key("z"), key("x"), value())
    return switch Int.random(in: 0..<34, using: &generator) {
    case 0, 1: [["GET", s]]
    case 2: [["SET", s, v]]
    case 3: [["INCR", s]]
    case 4: [["DEL", s]]
    case 5: [["SET", s, v, "GET"], ["SET", t, v, "NX"]]
    case 6: [["SETNX", s, v], ["GETDEL", t]]
    case 7: [["MGET", "s0", "s1", "s2", "s3"]]
    case 8: [["MSET", s, v, t, v]]
    case 9: [["RENAME", s, t], ["EXISTS", s, t]]
    case 10: [["COPY", s, t, "REPLACE"]]
    case 11: [["SET", s, v, "EX", "1000"], ["PERSIST", s]]
    case 12: [["EXPIRE", s, "1000"], ["GETEX", t, "PERSIST"]]
    case 13: [["HSET", h, "f", v], ["HGETALL", h]]
    case 14: [["HINCRBY", h, "f", "2"], ["HLEN", h]]
    case 15: [["HDEL", h, "f"], ["HGET", h, "f"]]
    case 16: [["RPUSH", l, v, "b"]]
    case 17: [["LPOP", l], ["LLEN", l]]
    case 18: [["LMOVE", l, m, "LEFT", "RIGHT"]]
    case 19: [["LRANGE", l, "0", "-1"], ["LTRIM", m, "0", "3"]]
    case 20: [["BLPOP", l, m, "0.01"]]
    case 21: [["LINSERT", l, "BEFORE", "b", v], ["LREM", m, "1", "b"]]
    case 22: [["ZINCRBY", z, "1", v], ["ZCARD", z]]
    case 23: [["ZPOPMIN", z], ["ZRANGE", z, "0", "-1", "WITHSCORES"]]
    case 24: [["ZUNIONSTORE", z, "2", "z0", "z1"], ["ZSCORE", z, v]]
    case 25: [["SADD", x, v], ["SMOVE", x, "x1", v], ["SCARD", x]]
    case 26: [["SINTERSTORE", x, "x0", "x1"], ["SISMEMBER", x, v]]
    case 27: [["EVAL", "return redis.call('INCR', KEYS[1])", "1", s]]
    case 28:
      [
        ["EVAL", "return redis.call('GET', KEYS[1])", "1", s],
        ["EVAL_RO", "return redis.call('GET', KEYS[1])", "1", t],
      ]
    case 29: [["MULTI"], ["INCR", s], ["GET", t], ["LPUSH", l, v], ["EXEC"]]
    case 30: [["WATCH", s], ["GET", s], ["MULTI"], ["APPEND", s, "1"], ["EXEC"], ["SET", s, v]]
    case 31: [["UNLINK", l, h, z], ["EXISTS", l, h, z]]
    case 32: [["MULTI"], ["SET", s, v], ["GET", s], ["DEL", t], ["EXEC"]]
    default: [["GETSET", s, v], ["STRLEN", s], ["GETRANGE", t, "0", "1"]]
    }
  }
}
