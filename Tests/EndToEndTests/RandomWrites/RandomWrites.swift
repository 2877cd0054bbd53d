/// Random write commands of all families over few keys, so that they meet; the same for the same seed.
///
/// Every command that a server flags as a write is among them, but for `left`. The first letter of a key names the
/// family that uses it.
struct RandomWrites {
  /// Commands that no sequence contains, and why.
  static let left = [
    "flushall": "an empty store is no test of what was written before",
    "flushdb": "an empty store is no test of what was written before",
    "function|delete": "functions are no keys",
    "function|flush": "functions are no keys",
    "function|load": "functions are no keys",
    "function|restore": "functions are no keys",
    "migrate": "it needs a third server, and is not copied",
    "move": "it needs a second database",
    "pfdebug": "a tool for the server's own tests",
    "restore-asking": "a cluster's own",
    "swapdb": "it needs a second database",
  ]

  /// Stands for the dump of a string in RESTORE: bytes that only a server can make.
  static let dump = "<dump>"

  private var generator: SplitMix64
  /// Members that are there once only, as jobs in a queue are.
  private var uniqueMembers = 0
  private let seed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    generator = SplitMix64(state: seed)
  }

  /// One command.
  mutating func next() -> [String] {
    switch Int.random(in: 0..<12, using: &generator) {
    case 0, 1: string()
    case 2: bits()
    case 3: list()
    case 4: set()
    case 5: hash()
    case 6: sortedSet()
    case 7: stream()
    case 8, 9: key()
    case 10: blocking()
    default: sketch()
    }
  }

  /// True about once in `count` calls.
  mutating func chance(oneIn count: Int) -> Bool { Int.random(in: 0..<count, using: &generator) == 0 }

  private mutating func string() -> [String] {
    let (key, value) = (name("s"), member())
    return pick([
      ["SET", key, value], ["SET", key, value, "EX", "300"], ["SET", key, value, "NX"],
      ["SET", key, value, "XX", "GET"], ["SET", key, value, "PX", "250000", "NX"], ["SET", key, value, "KEEPTTL"],
      ["SETNX", key, value], ["SETEX", key, "310", value], ["PSETEX", key, "320000", value], ["APPEND", key, value],
      ["SETRANGE", key, "3", value], ["GETDEL", key], ["GETSET", key, value], ["GETEX", key, "PX", "400000"],
      ["GETEX", key, "EX", "410"], ["GETEX", key, "PERSIST"], ["MSET", key, value, name("s"), value],
      ["MSETNX", key, value, name("s"), value], ["INCR", name("c")], ["INCRBY", name("c"), "5"], ["DECR", name("c")],
      ["DECRBY", name("c"), "2"], ["INCRBYFLOAT", name("f"), "0.1"],
    ])
  }

  private mutating func bits() -> [String] {
    let key = name("i")
    return pick([
      ["SETBIT", key, number(40), "1"], ["SETBIT", key, number(40), "0"],
      ["BITFIELD", key, "INCRBY", "u5", number(30), "1", "GET", "u4", "0"],
      ["BITFIELD", key, "SET", "u8", "0", number(200)],
      ["BITOP", "OR", key, name("i"), name("i")], ["BITOP", "NOT", key, name("i")],
    ])
  }

  private mutating func list() -> [String] {
    let (key, other, value) = (name("l"), name("l"), member())
    return pick([
      ["LPUSH", key, value, member()], ["RPUSH", key, value], ["LPUSHX", key, value], ["RPUSHX", key, value],
      ["LPOP", key], ["RPOP", key, "2"], ["LMPOP", "2", key, other, "LEFT", "COUNT", "2"],
      ["LMOVE", key, other, "LEFT", "RIGHT"], ["RPOPLPUSH", key, other], ["LTRIM", key, "0", "6"],
      ["LREM", key, "1", value], ["LSET", key, "0", value], ["LINSERT", key, "BEFORE", value, member()],
      ["SORT", name("t"), "ALPHA", "STORE", key],
    ])
  }

  /// What waits on a connection of its own, if only for a moment.
  private mutating func blocking() -> [String] {
    let (list, other, zset) = (name("b"), name("b"), name("y"))
    uniqueMembers += 1
    let unique = "u\(seed)-\(uniqueMembers)"
    return pick([
      ["RPUSH", list, unique], ["LPUSH", list, unique], ["RPUSH", list, unique, unique + "b"], ["LPOP", list],
      ["BLPOP", list, other, "0.005"], ["BRPOP", list, "0.005"], ["BLMOVE", list, other, "LEFT", "RIGHT", "0.005"],
      ["BRPOPLPUSH", list, other, "0.005"], ["BLMPOP", "0.005", "2", list, other, "RIGHT", "COUNT", "2"],
      ["ZADD", zset, number(9), unique], ["BZPOPMIN", zset, "0.005"], ["BZPOPMAX", zset, name("y"), "0.005"],
      ["BZMPOP", "0.005", "2", zset, name("y"), "MIN", "COUNT", "2"],
      ["XREADGROUP", "GROUP", "group", "reader", "COUNT", "2", "BLOCK", "5", "STREAMS", name("x"), ">"],
    ])
  }

  private mutating func set() -> [String] {
    let (key, other, value) = (name("t"), name("t"), member())
    return pick([
      ["SADD", key, value, member()], ["SREM", key, value], ["SPOP", key], ["SPOP", key, "2"],
      ["SMOVE", key, other, value], ["SINTERSTORE", key, other, name("t")], ["SUNIONSTORE", key, other, name("t")],
      ["SDIFFSTORE", key, other, name("t")], ["EVAL", "return redis.call('SPOP', KEYS[1])", "1", key],
    ])
  }

  private mutating func hash() -> [String] {
    let (key, value) = (name("h"), member())
    return pick([
      ["HSET", key, value, member()], ["HSETNX", key, value, member()], ["HDEL", key, value],
      ["HINCRBY", key, "n", "3"], ["HINCRBYFLOAT", key, "x", "1.5"], ["HMSET", key, value, "1", member(), "2"],
    ])
  }

  private mutating func sortedSet() -> [String] {
    let (key, other, value) = (name("z"), name("z"), member())
    let score = number(9)
    return pick([
      ["ZADD", key, score, value], ["ZADD", key, "NX", score, value], ["ZADD", key, "GT", "CH", score, value],
      ["ZADD", key, "XX", "INCR", score, value], ["ZINCRBY", key, score, value], ["ZREM", key, value],
      ["ZPOPMIN", key],
      ["ZPOPMAX", key, "2"], ["ZMPOP", "2", key, other, "MIN", "COUNT", "2"],
      ["ZUNIONSTORE", key, "2", other, name("z")],
      ["ZINTERSTORE", key, "2", other, name("z"), "WEIGHTS", "2", "3"], ["ZDIFFSTORE", key, "2", other, name("z")],
      ["ZRANGESTORE", key, other, "0", "2"], ["ZREMRANGEBYRANK", key, "0", "0"],
      ["ZREMRANGEBYSCORE", key, "1", "2"], ["ZREMRANGEBYLEX", key, "[m1", "[m10"],
    ])
  }

  private mutating func stream() -> [String] {
    let key = name("x")
    return pick([
      ["XADD", key, "*", "f", member()], ["XADD", key, "MAXLEN", "5", "*", "f", member()],
      ["XADD", key, "NOMKSTREAM", "*", "f", member()], ["XTRIM", key, "MAXLEN", "3"],
      ["XDEL", key, "0-1"], ["XSETID", key, "99999999999999-1"], ["XGROUP", "CREATE", key, "group", "0", "MKSTREAM"],
      ["XGROUP", "CREATECONSUMER", key, "group", "other"], ["XGROUP", "DELCONSUMER", key, "group", "other"],
      ["XGROUP", "SETID", key, "group", "0"], ["XGROUP", "DESTROY", key, "group"],
      ["XREADGROUP", "GROUP", "group", "reader", "COUNT", "2", "STREAMS", key, ">"],
      ["XCLAIM", key, "group", "other", "0", "99999999999999-1"],
      ["XAUTOCLAIM", key, "group", "other", "0", "0", "COUNT", "2"], ["XACK", key, "group", "99999999999999-1"],
    ])
  }

  private mutating func key() -> [String] {
    let kind = pick([["s"], ["c"], ["i"], ["l"], ["t"], ["h"], ["z"], ["g"]])[0]
    let (key, other) = (name(kind), name(kind))
    return pick([
      ["DEL", key], ["UNLINK", key, other], ["EXPIRE", key, "500"], ["EXPIRE", key, "600", "GT"], ["PERSIST", key],
      ["PEXPIRE", key, "700000", "NX"], ["EXPIREAT", key, "4000000000", "LT"],
      ["PEXPIREAT", key, "4100000000000", "XX"],
      ["EXPIRE", key, "-1"], ["RENAME", key, other], ["RENAMENX", key, other], ["COPY", key, other, "REPLACE"],
      ["RESTORE", name("s"), "0", Self.dump, "REPLACE"], ["RESTORE", name("s"), "800000", Self.dump],
    ])
  }

  private mutating func sketch() -> [String] {
    let (key, other) = (name("g"), name("g"))
    return pick([
      ["PFADD", name("p"), member()], ["PFMERGE", name("p"), name("p")], ["GEOADD", key, "3", "4", member()],
      ["GEOSEARCHSTORE", key, other, "FROMLONLAT", "3", "4", "BYRADIUS", "100", "km"],
      ["GEORADIUS", key, "3", "4", "100", "km", "STORE", other],
      ["GEORADIUSBYMEMBER", key, member(), "100", "km", "STOREDIST", other],
    ])
  }

  private mutating func name(_ kind: String) -> String { kind + number(5) }

  private mutating func member() -> String { "m" + number(12) }

  private mutating func number(_ bound: Int) -> String { String(Int.random(in: 0..<bound, using: &generator)) }

  private mutating func pick(_ commands: [[String]]) -> [String] {
    commands[Int.random(in: 0..<commands.count, using: &generator)]
  }
}

/// A small generator with a seed; the standard library's own has none.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}
