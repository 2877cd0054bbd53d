/// What a script in `Tests/Clients` is asked to do: the one list that they all share.
///
/// A script is called as `SCRIPT HOST PORT CHECK…`. It makes the checks in the order given over real connections, looks
/// at every reply, prints `ok CHECK` after each and `done` at the end, and exits with a status other than 0, and the
/// reason on standard error, at the first thing that is not as it should be. What a check leaves in the store begins
/// with its name and a colon, so that checks do not meet; the same data is left there whoever made the check, but for
/// the member that SPOP chose.
enum ClientCheck: String, CaseIterable, Sendable {
  /// SET with its options, GET, MSET, MGET with a missing key, counters, APPEND, GETRANGE, GETDEL, TTL, DEL.
  case strings
  /// HSET of several fields, HGET, HINCRBY, HMGET with a missing field, HDEL, HGETALL, HLEN, HEXISTS.
  case hashes
  /// Pushes and pops at both ends, LRANGE, LINDEX, LREM, LTRIM, LMOVE.
  case lists
  /// SADD, SMEMBERS, SISMEMBER, SINTER, SUNIONSTORE, SREM, SPOP.
  case sets
  /// ZADD, ZINCRBY, ZRANGE with scores, ZSCORE, ZRANGEBYSCORE, ZRANK, ZREM.
  case sortedSets = "sorted_sets"
  /// All 256 byte values as key, value and field, CR LF, the empty string, and a value of a megabyte.
  case binary
  /// More than a hundred commands at once with replies of each kind; an error among them that hurts nobody else.
  case pipeline
  /// MULTI … EXEC with the replies of all commands, and DISCARD.
  case transaction
  /// WATCH of a key that another connection changes, and of one that nobody changes.
  case watch
  /// BLPOP, BRPOP and BLMOVE: at once, until the timeout, and woken by another connection.
  case blocking
  /// EVAL, SCRIPT LOAD, EVALSHA with writes, NOSCRIPT.
  case scripts
  /// SCAN, HSCAN, SSCAN and ZSCAN over 250 elements each.
  case scan
  /// Errors arrive as errors, with the store's words, and the connection goes on.
  case errors
  /// Name and number of the connection, PING, ECHO.
  case session
  /// SELECT when connecting and later, and a database that does not exist.
  case databases
  /// SUBSCRIBE, PSUBSCRIBE and their opposites, binary channels and messages, the number of receivers.
  case pubsub
}
