// Lists.
//
// SORT without STORE is a read, and misses as one; it takes sets and sorted sets too. A pop, an insertion or a trim is
// copied to the other store as the same command: the same list gives the same elements.
extension CommandTable {
  static let lists: [CommandSpec] = [
    .blocking("blmove", 6, .two, .blmove, .moves),
    .blocking("blmpop", -5, .counted(at: 2), .blmpop),
    .blocking("blpop", -3, .allButLast, .blpop),
    .blocking("brpop", -3, .allButLast, .brpop),
    .blocking("brpoplpush", 4, .two, .brpoplpush, .moves),
    .read("lindex", 3, .one, .null),
    .partial("linsert", 5, .one),
    .read("llen", 2, .one, .zero),
    .partial("lmove", 5, .two, .verbatim, .ordered, [.moves, .pops]),
    .partial("lmpop", -4, .counted(at: 1), .lmpop),
    .partial("lpop", -2, .one, .verbatim, .ordered, .pops),
    .read("lpos", -3, .one, .nullOrEmpty),
    .partial("lpush", -3, .one),
    .partial("lpushx", -3, .one),
    .read("lrange", 4, .one, .emptyCollection, reply: .always(.same)),
    .partial("lrem", 4, .one),
    .partial("lset", 4, .one),
    .partial("ltrim", 4, .one),
    .partial("rpop", -2, .one, .verbatim, .ordered, .pops),
    .partial("rpoplpush", 3, .two, .verbatim, .ordered, [.moves, .pops]),
    .partial("rpush", -3, .one),
    .partial("rpushx", -3, .one),
    .write("sort", -2, .sort, .copyLastKey, .ordered, .readsUnlessStore, miss: .emptyCollection),
    .read("sort_ro", -2, .one, .emptyCollection),
  ]
}
