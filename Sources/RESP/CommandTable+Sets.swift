// Sets.
//
// The replies have no order, and SPOP and SRANDMEMBER pick members by chance.
extension CommandTable {
  static let sets: [CommandSpec] = [
    .partial("sadd", -3, .one),
    .read("scard", 2, .one, .zero),
    .read("sdiff", -2, .all, .emptyCollection, .unordered, .mergesKeys, reply: .always(.set)),
    .write("sdiffstore", -3, .all, .copyFirstKey),
    .read("sinter", -2, .all, .emptyCollection, .unordered, .mergesKeys, reply: .always(.set)),
    .read("sintercard", -3, .counted(at: 1), .zero, .ordered, .mergesKeys),
    .write("sinterstore", -3, .all, .copyFirstKey),
    .read("sismember", 3, .one, .zero),
    .read("smembers", 2, .one, .emptyCollection, .unordered, reply: .always(.set)),
    .read("smismember", -3, .one, .allZero),
    .partial("smove", 4, .two, .verbatim, .ordered, .moves),
    .partial("spop", -2, .one, .spop, .ignored, reply: .always(.set)),
    .read("srandmember", -2, .one, .nullOrEmpty, .ignored, reply: .always(.same)),
    .partial("srem", -3, .one),
    .read("sscan", -3, .one, .emptyScan, .ignored, .iterates, reply: .always(.same)),
    .read("sunion", -2, .all, .emptyCollection, .unordered, .mergesKeys, reply: .always(.set)),
    .write("sunionstore", -3, .all, .copyFirstKey),
  ]
}
