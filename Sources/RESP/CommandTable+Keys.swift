// Keys of any type, and the keyspace as a whole.
//
// DBSIZE counts keys that have expired and were not removed yet, and DUMP's format is each version's own, so neither is
// compared. A time to live is a part of its key: a store that lacks the key gets it whole. MIGRATE takes keys away to a
// third server: repeated, it would find them there.
extension CommandTable {
  static let keys: [CommandSpec] = [
    .keyspaceRead("clusterscan", -2),
    .write("copy", -3, .two, .copyLastKey, .ordered, .namesDatabase),
    .keyspaceRead("dbsize", 1),
    .write("del", -2, .all, .verbatim, .ordered, .replacesKeys),
    .read("dump", 2, .one, .null, .ignored),
    .read("exists", -2, .all, .zero, .ordered, .mergesKeys),
    .partial("expire", -3, .one, .expire),
    .partial("expireat", -3, .one, .expireAt),
    .read("expiretime", 2, .one, .minusTwo, .seconds),
    .write("flushall", -1, .none, .verbatim, .ordered, [.replacesKeys, .empties]),
    .write("flushdb", -1, .none, .verbatim, .ordered, [.replacesKeys, .empties]),
    .keyspaceRead("keys", 2, .unordered, reply: .always(.same)),
    .write("migrate", -6, .migrate, .none, .ignored),
    .write("move", 3, .one, .copyKeys, .ordered, .namesDatabase),
    .container("object", -2),
    .read("object|encoding", 3, .second, .null, .ignored),
    .read("object|freq", 3, .second, .null, .ignored),
    .unlisted("object|help", 2),
    .read("object|idletime", 3, .second, .null, .ignored),
    .read("object|refcount", 3, .second, .null, .ignored),
    .partial("persist", 2, .one, .persist),
    .partial("pexpire", -3, .one, .pexpire),
    .partial("pexpireat", -3, .one, .expireAt),
    .read("pexpiretime", 2, .one, .minusTwo, .milliseconds),
    .read("pttl", 2, .one, .minusTwo, .milliseconds),
    .keyspaceRead("randomkey", 1),
    .write("rename", 3, .two, .copyKeys),
    .write("renamenx", 3, .two, .copyKeys),
    .write("restore", -4, .one, .copyFirstKey, .ordered, .replacesKeys),
    .write("restore-asking", -4, .one, .copyFirstKey),
    .keyspaceRead("scan", -2, .ignored, .iterates, reply: .always(.same)),
    .read("touch", -2, .all, .zero, .ordered, .mergesKeys),
    .read("ttl", 2, .one, .minusTwo, .seconds),
    .read("type", 2, .one, .noneStatus),
    .write("unlink", -2, .all, .verbatim, .ordered, .replacesKeys),
  ]
}
