// Bits of strings, and HyperLogLogs, which are strings too.
//
// An absent key is an endless row of zero bits for GETBIT, BITCOUNT, BITPOS and BITFIELD's GET.
extension CommandTable {
  static let bitmaps: [CommandSpec] = [
    .read("bitcount", -2, .one, .zero),
    .partial("bitfield", -2, .one, .verbatim, .ordered, .readsUnlessBitsChange, miss: .allZero),
    .read("bitfield_ro", -2, .one, .allZero),
    .write("bitop", -4, .range(first: 2, last: -1, step: 1), .copyFirstKey),
    .read("bitpos", -3, .one, .bitPosition),
    .read("getbit", 3, .one, .zero),
    .partial("pfadd", -2, .one),
    .read("pfcount", -2, .all, .zero, .ordered, [.mergesKeys, .isReplicated]),
    .partial("pfdebug", 3, .second, .verbatim, .ordered, .isAdministrative),
    .write("pfmerge", -2, .all, .copyFirstKey),
    .admin("pfselftest", 1),
    .partial("setbit", 4, .one),
  ]
}
