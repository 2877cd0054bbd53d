/// One way to ask for `k` (and `l`), and commands after which it is there with something to tell.
struct MissSample: Sendable {
  var command: String
  var setup: [String]

  init(_ command: String, _ setup: String...) {
    self.command = command
    self.setup = setup
  }
}

extension MissSample {
  /// At least one for each command that is a read, or that is one without certain options.
  static let all = strings + lists + sets + sortedSets + hashes + streams + geo + keys

  private static let strings = [
    MissSample("GET k", "SET k v"),
    MissSample("GETEX k", "SET k v"),
    MissSample("GETRANGE k 0 -1", "SET k value"),
    MissSample("SUBSTR k 1 2", "SET k value"),
    MissSample("STRLEN k", "SET k v"),
    MissSample("MGET k", "SET k v"),
    MissSample("MGET k l", "SET k v", "SET l v"),
    MissSample("LCS k l", "SET k ohmytext", "SET l mynewtext"),
    MissSample("LCS k l LEN", "SET k ohmytext", "SET l mynewtext"),
    MissSample("LCS k l IDX", "SET k ohmytext", "SET l mynewtext"),
    MissSample("LCS k l IDX MINMATCHLEN 4 WITHMATCHLEN", "SET k ohmytext", "SET l mynewtext"),
    MissSample("GETBIT k 7", "SETBIT k 7 1"),
    MissSample("BITCOUNT k", "SETBIT k 7 1"),
    MissSample("BITPOS k 1", "SETBIT k 7 1"),
    MissSample("BITPOS k 0", "SETBIT k 0 1"),
    MissSample("BITFIELD k GET u8 0", "SETBIT k 7 1"),
    MissSample("BITFIELD_RO k GET u8 0 GET u4 0", "SETBIT k 7 1"),
    MissSample("PFCOUNT k", "PFADD k a b c"),
    MissSample("PFCOUNT k l", "PFADD k a b c", "PFADD l d"),
  ]

  private static let lists = [
    MissSample("LINDEX k 0", "RPUSH k a b c"),
    MissSample("LLEN k", "RPUSH k a b c"),
    MissSample("LRANGE k 0 -1", "RPUSH k a b c"),
    MissSample("LPOS k b", "RPUSH k a b c"),
    MissSample("LPOS k b COUNT 0", "RPUSH k a b c b"),
    MissSample("SORT k ALPHA", "RPUSH k c a b"),
    MissSample("SORT_RO k ALPHA LIMIT 0 2", "RPUSH k c a b"),
  ]

  private static let sets = [
    MissSample("SCARD k", "SADD k a b c"),
    MissSample("SISMEMBER k a", "SADD k a b c"),
    MissSample("SMISMEMBER k a d", "SADD k a b c"),
    MissSample("SMEMBERS k", "SADD k a b c d e f"),
    MissSample("SRANDMEMBER k", "SADD k a"),
    MissSample("SRANDMEMBER k 2", "SADD k a b"),
    MissSample("SSCAN k 0", "SADD k a b"),
    MissSample("SINTER k l", "SADD k a b c", "SADD l b c"),
    MissSample("SINTERCARD 2 k l", "SADD k a b c", "SADD l b c"),
    MissSample("SUNION k l", "SADD k a b c", "SADD l d e"),
    MissSample("SDIFF k l", "SADD k a b c", "SADD l d e"),
  ]

  private static let sortedSets = [
    MissSample("ZCARD k", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZCOUNT k -inf +inf", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZLEXCOUNT k - +", "ZADD k 0 a 0 b"),
    MissSample("ZSCORE k a", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZMSCORE k a b", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZRANK k b", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZREVRANK k b", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZRANGE k 0 -1 WITHSCORES", "ZADD k 0.1 a 3.3 b 1e-7 c"),
    MissSample("ZREVRANGE k 0 -1 WITHSCORES", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZRANGEBYSCORE k 0 5 WITHSCORES", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZREVRANGEBYSCORE k 5 0 WITHSCORES", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZRANGEBYLEX k - +", "ZADD k 0 a 0 b"),
    MissSample("ZREVRANGEBYLEX k + -", "ZADD k 0 a 0 b"),
    MissSample("ZRANDMEMBER k", "ZADD k 0.1 a"),
    MissSample("ZRANDMEMBER k 2 WITHSCORES", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZSCAN k 0", "ZADD k 0.1 a 3.3 b"),
    MissSample("ZINTER 2 k l WITHSCORES", "ZADD k 0.1 a", "ZADD l 0.7 a"),
    MissSample("ZINTERCARD 2 k l", "ZADD k 0.1 a", "ZADD l 0.7 a"),
    MissSample("ZUNION 2 k l WITHSCORES", "ZADD k 0.1 a", "ZADD l 0.7 b"),
    MissSample("ZDIFF 2 k l WITHSCORES", "ZADD k 0.1 a", "ZADD l 0.7 b"),
  ]

  /// Small hashes would otherwise be kept in the order of insertion, and so agree by luck.
  private static let hashTables = "CONFIG SET hash-max-listpack-entries 0"

  private static let hashes = [
    MissSample("HGET k f", "HSET k f v"),
    MissSample("HMGET k f", "HSET k f v"),
    MissSample("HMGET k f g", "HSET k f v g w"),
    MissSample("HGETALL k", hashTables, "HSET k f v g w h x i y j z"),
    MissSample("HKEYS k", hashTables, "HSET k f v g w h x i y j z"),
    MissSample("HVALS k", hashTables, "HSET k f v g w h x i y j z"),
    MissSample("HLEN k", "HSET k f v"),
    MissSample("HSTRLEN k f", "HSET k f v"),
    MissSample("HEXISTS k f", "HSET k f v"),
    MissSample("HRANDFIELD k", "HSET k f v"),
    MissSample("HRANDFIELD k 2 WITHVALUES", "HSET k f v"),
    MissSample("HSCAN k 0", "HSET k f v"),
    MissSample("HTTL k FIELDS 1 f", "HSET k f v", "HEXPIRE k 1000 FIELDS 1 f"),
    MissSample("HPTTL k FIELDS 2 f g", "HSET k f v g w"),
    MissSample("HEXPIRETIME k FIELDS 1 f", "HSET k f v"),
    MissSample("HPEXPIRETIME k FIELDS 1 f", "HSET k f v", "HPEXPIRE k 100000 FIELDS 1 f"),
  ]

  private static let streams = [
    MissSample("XLEN k", "XADD k 1-1 f v"),
    MissSample("XRANGE k - +", "XADD k 1-1 f v g w"),
    MissSample("XREVRANGE k + -", "XADD k 1-1 f v"),
    MissSample("XREAD COUNT 1 STREAMS k 0", "XADD k 1-1 f v"),
    MissSample("XPENDING k g", "XGROUP CREATE k g $ MKSTREAM"),
    MissSample("XPENDING k g - + 10", "XGROUP CREATE k g $ MKSTREAM"),
    MissSample("XINFO STREAM k", "XADD k 1-1 f v"),
    MissSample("XINFO GROUPS k", "XADD k 1-1 f v"),
    MissSample("XINFO CONSUMERS k g", "XGROUP CREATE k g $ MKSTREAM"),
  ]

  private static let sicily = "GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"

  private static let geo = [
    MissSample("GEODIST k Palermo Catania", sicily),
    MissSample("GEOHASH k Palermo Catania", sicily),
    MissSample("GEOPOS k Palermo Catania", sicily),
    MissSample("GEORADIUS k 15 37 200 km WITHDIST WITHCOORD ASC", sicily),
    MissSample("GEORADIUS_RO k 15 37 200 km", sicily),
    MissSample("GEORADIUSBYMEMBER k Palermo 200 km", sicily),
    MissSample("GEORADIUSBYMEMBER_RO k Palermo 200 km WITHHASH", sicily),
    MissSample("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km ASC", sicily),
  ]

  private static let keys = [
    MissSample("EXISTS k", "SET k v"),
    MissSample("EXISTS k l", "SET k v", "SET l v"),
    MissSample("TOUCH k", "SET k v"),
    MissSample("TYPE k", "SET k v"),
    MissSample("TTL k", "SET k v"),
    MissSample("TTL k", "SET k v EX 1000"),
    MissSample("PTTL k", "SET k v"),
    MissSample("PTTL k", "SET k v PX 100000"),
    MissSample("EXPIRETIME k", "SET k v EXAT 33177117420"),
    MissSample("PEXPIRETIME k", "SET k v PXAT 33177117420000"),
    MissSample("DUMP k", "SET k v"),
    MissSample("OBJECT ENCODING k", "SET k v"),
    MissSample("OBJECT IDLETIME k", "SET k v"),
    MissSample("OBJECT REFCOUNT k", "SET k v"),
    MissSample("OBJECT FREQ k", "CONFIG SET maxmemory-policy allkeys-lfu", "SET k v"),
    MissSample("MEMORY USAGE k", "SET k v"),
  ]
}
