// Hashes.
//
// For the fields' own times to live, an absent key is answered like absent fields: with -2 for each field.
extension CommandTable {
  static let hashes: [CommandSpec] = [
    .partial("hdel", -3, .one),
    .read("hexists", 3, .one, .zero),
    .partial("hexpire", -6, .one, .hexpire),
    .partial("hexpireat", -6, .one),
    .read("hexpiretime", -5, .one, .allMinusTwo, .seconds),
    .read("hget", 3, .one, .null),
    .read("hgetall", 2, .one, .emptyCollection, .unorderedPairs, reply: .always(.map)),
    .partial("hgetdel", -5, .one),
    .partial("hgetex", -5, .one, .hgetex),
    .partial("hincrby", 4, .one),
    .partial("hincrbyfloat", 4, .one),
    .read("hkeys", 2, .one, .emptyCollection, .unordered, reply: .always(.same)),
    .read("hlen", 2, .one, .zero),
    .read("hmget", -3, .one, .anyNullElement),
    .partial("hmset", -4, .one),
    .partial("hpersist", -5, .one),
    .partial("hpexpire", -6, .one, .hpexpire),
    .partial("hpexpireat", -6, .one),
    .read("hpexpiretime", -5, .one, .allMinusTwo, .milliseconds),
    .read("hpttl", -5, .one, .allMinusTwo, .milliseconds),
    .read("hrandfield", -2, .one, .nullOrEmpty, .ignored, reply: .byCount(4, .pairs, .same)),
    .read("hscan", -3, .one, .emptyScan, .ignored, .iterates, reply: .always(.same)),
    .partial("hset", -4, .one),
    .partial("hsetex", -6, .one, .hsetex),
    .partial("hsetnx", 4, .one, .hsetnx),
    .read("hstrlen", 3, .one, .zero),
    .read("httl", -5, .one, .allMinusTwo, .seconds),
    .read("hvals", 2, .one, .emptyCollection, .unordered, reply: .always(.same)),
  ]
}
