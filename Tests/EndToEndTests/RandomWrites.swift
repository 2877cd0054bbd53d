/// Random write commands of all families over few keys, so that they meet; the same for the same seed.
struct RandomWrites {
  private var generator: SplitMix64

  init(seed: UInt64) {
    generator = SplitMix64(state: seed)
  }

  /// One command.
  mutating func next() -> [String] {
    switch Int.random(in: 0..<9, using: &generator) {
    case 0, 1: string()
    case 2: list()
    case 3: set()
    case 4: hash()
    case 5: sortedSet()
    case 6: stream()
    case 7: key()
    default: sketch()
    }
  }

  private mutating func string() -> [String] {
    let (key, value) = (name("s"), member())
    return pick([
      ["SET", key, value], ["SET", key, value, "EX", "300"], ["SET", key, value, "NX"],
      ["SET", key, value, "XX", "GET"], ["SETNX", key, value], ["APPEND", key, value], ["SETRANGE", key, "3", value],
      ["SETBIT", key, "7", "1"], ["GETDEL", key], ["GETSET", key, value], ["GETEX", key, "PX", "400000"],
      ["MSET", key, value, name("s"), value], ["MSETNX", key, value, name("s"), value],
      ["INCR", name("c")], ["INCRBY", name("c"), "5"], ["DECR", name("c")], ["BITOP", "OR", key, name("s"), name("s")],
    ])
  }

  private mutating func list() -> [String] {
    let (key, other, value) = (name("l"), name("l"), member())
    return pick([
      ["LPUSH", key, value, member()], ["RPUSH", key, value], ["LPUSHX", key, value], ["LPOP", key],
      ["RPOP", key, "2"],
      ["LMPOP", "2", key, other, "LEFT", "COUNT", "2"], ["LMOVE", key, other, "LEFT", "RIGHT"],
      ["RPOPLPUSH", key, other], ["LTRIM", key, "0", "6"], ["LREM", key, "1", value], ["LSET", key, "0", value],
      ["LINSERT", key, "BEFORE", value, member()], ["SORT", name("t"), "ALPHA", "STORE", key],
    ])
  }

  private mutating func set() -> [String] {
    let (key, other, value) = (name("t"), name("t"), member())
    return pick([
      ["SADD", key, value, member()], ["SREM", key, value], ["SPOP", key], ["SPOP", key, "2"],
      ["SMOVE", key, other, value], ["SINTERSTORE", key, other, name("t")], ["SUNIONSTORE", key, other, name("t")],
      ["EVAL", "return redis.call('SPOP', KEYS[1])", "1", key],
    ])
  }

  private mutating func hash() -> [String] {
    let (key, value) = (name("h"), member())
    return pick([
      ["HSET", key, value, member()], ["HSETNX", key, value, member()], ["HDEL", key, value],
      ["HINCRBY", key, "n", "3"], ["HMSET", key, value, "1", member(), "2"],
    ])
  }

  private mutating func sortedSet() -> [String] {
    let (key, other, value) = (name("z"), name("z"), member())
    let score = String(Int.random(in: 1..<9, using: &generator))
    return pick([
      ["ZADD", key, score, value], ["ZADD", key, "NX", score, value], ["ZADD", key, "GT", "CH", score, value],
      ["ZINCRBY", key, score, value], ["ZREM", key, value], ["ZPOPMIN", key], ["ZPOPMAX", key, "2"],
      ["ZMPOP", "2", key, other, "MIN", "COUNT", "2"], ["ZUNIONSTORE", key, "2", other, name("z")],
      ["ZRANGESTORE", key, other, "0", "2"], ["ZREMRANGEBYRANK", key, "0", "0"],
    ])
  }

  private mutating func stream() -> [String] {
    let key = name("x")
    return pick([
      ["XADD", key, "*", "f", member()], ["XADD", key, "MAXLEN", "5", "*", "f", member()],
      ["XTRIM", key, "MAXLEN", "3"],
      ["XGROUP", "CREATE", key, "group", "0", "MKSTREAM"],
      ["XREADGROUP", "GROUP", "group", "reader", "COUNT", "2", "STREAMS", key, ">"],
    ])
  }

  private mutating func key() -> [String] {
    let kind = pick([["s"], ["c"], ["l"], ["t"], ["h"], ["z"]])[0]
    let (key, other) = (name(kind), name(kind))
    return pick([
      ["DEL", key], ["UNLINK", key, other], ["EXPIRE", key, "500"], ["EXPIRE", key, "600", "GT"], ["PERSIST", key],
      ["PEXPIRE", key, "700000", "NX"], ["RENAME", key, other], ["RENAMENX", key, other],
      ["COPY", key, other, "REPLACE"],
    ])
  }

  private mutating func sketch() -> [String] {
    pick([
      ["PFADD", name("p"), member()], ["PFMERGE", name("p"), name("p")], ["GEOADD", name("g"), "3", "4", member()],
      ["GEOSEARCHSTORE", name("g"), name("g"), "FROMLONLAT", "3", "4", "BYRADIUS", "100", "km"],
    ])
  }

  private mutating func name(_ kind: String) -> String { kind + String(Int.random(in: 0..<5, using: &generator)) }

  private mutating func member() -> String { "m" + String(Int.random(in: 0..<12, using: &generator)) }

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
