// Hashes.
//
// Of the fields' own times to live, an absent key says what it says of absent fields: -2 for each one asked.
extension CommandTable {
  static let hashes: [CommandSpec] = [
    .write("hdel", -3, .one),
    .read("hexists", 3, .one, .zero),
    .write("hexpire", -6, .one, .hexpire),
    .write("hexpireat", -6, .one),
    .read("hexpiretime", -5, .one, .allMinusTwo, .seconds),
    .read("hget", 3, .one, .null),
    .read("hgetall", 2, .one, .emptyCollection, .unorderedPairs),
    .write("hgetdel", -5, .one),
    .write("hgetex", -5, .one, .hgetex),
    .write("hincrby", 4, .one),
    .write("hincrbyfloat", 4, .one),
    .read("hkeys", 2, .one, .emptyCollection, .unordered),
    .read("hlen", 2, .one, .zero),
    .read("hmget", -3, .one, .anyNullElement),
    .write("hmset", -4, .one),
    .write("hpersist", -5, .one),
    .write("hpexpire", -6, .one, .hpexpire),
    .write("hpexpireat", -6, .one),
    .read("hpexpiretime", -5, .one, .allMinusTwo, .milliseconds),
    .read("hpttl", -5, .one, .allMinusTwo, .milliseconds),
    .read("hrandfield", -2, .one, .nullOrEmpty, .ignored),
    .read("hscan", -3, .one, .emptyScan, .ignored),
    .write("hset", -4, .one),
    .write("hsetex", -6, .one, .hsetex),
    .write("hsetnx", 4, .one, .hsetnx),
    .read("hstrlen", 3, .one, .zero),
    .read("httl", -5, .one, .allMinusTwo, .seconds),
    .read("hvals", 2, .one, .emptyCollection, .unordered),
  ]
}
