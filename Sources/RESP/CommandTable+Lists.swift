// Lists.
//
// SORT without STORE is a read, and misses as one; it takes sets and sorted sets too. What the other store gets of a
// pop, an insertion or a trim is the same command: the same list gives the same elements.
extension CommandTable {
  static let lists: [CommandSpec] = [
    .blocking("blmove", 6, .two),
    .blocking("blmpop", -5, .counted(at: 2)),
    .blocking("blpop", -3, .allButLast),
    .blocking("brpop", -3, .allButLast),
    .blocking("brpoplpush", 4, .two),
    .read("lindex", 3, .one, .null),
    .write("linsert", 5, .one),
    .read("llen", 2, .one, .zero),
    .write("lmove", 5, .two),
    .write("lmpop", -4, .counted(at: 1)),
    .write("lpop", -2, .one),
    .read("lpos", -3, .one, .nullOrEmpty),
    .write("lpush", -3, .one),
    .write("lpushx", -3, .one),
    .read("lrange", 4, .one, .emptyCollection),
    .write("lrem", 4, .one),
    .write("lset", 4, .one),
    .write("ltrim", 4, .one),
    .write("rpop", -2, .one),
    .write("rpoplpush", 3, .two),
    .write("rpush", -3, .one),
    .write("rpushx", -3, .one),
    .write("sort", -2, .sort, .verbatim, .ordered, .readsUnlessStore, miss: .emptyCollection),
    .read("sort_ro", -2, .one, .emptyCollection),
  ]
}
