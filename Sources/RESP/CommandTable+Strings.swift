// Strings. GETEX with a key alone is a GET, and misses as one.
extension CommandTable {
  static let strings: [CommandSpec] = [
    .partial("append", 3, .one),
    .partial("decr", 2, .one),
    .partial("decrby", 3, .one),
    .write("delifeq", 3, .one, .copyKeys),
    .read("get", 2, .one, .null),
    .write("getdel", 2, .one, .verbatim, .ordered, .replacesKeys),
    .partial("getex", -2, .one, .getex, .ordered, .readsWithoutOptions, miss: .null),
    .read("getrange", 4, .one, .emptyString),
    .write("getset", 3, .one, .verbatim, .ordered, .replacesKeys),
    .partial("incr", 2, .one),
    .partial("incrby", 3, .one),
    .partial("incrbyfloat", 3, .one),
    .read("lcs", -3, .two, .lcs, .ordered, .mergesKeys, reply: .always(.map)),
    .read("mget", -2, .all, .anyNullElement),
    .write("mset", -3, .alternating, .verbatim, .ordered, .replacesKeys),
    .write("msetex", -4, .counted(countAt: 1, step: 2, destination: 0), .msetex, .ordered, .replacesKeys),
    .write("msetnx", -3, .alternating, .msetnx, .ordered, .replacesKeys),
    .write("psetex", 4, .one, .psetex, .ordered, .replacesKeys),
    .write("set", -3, .one, .setWithExpiry, .ordered, .replacesKeys),
    .write("setex", 4, .one, .setex, .ordered, .replacesKeys),
    .write("setnx", 3, .one, .setnx, .ordered, .replacesKeys),
    .partial("setrange", 4, .one),
    .read("strlen", 2, .one, .zero),
    .read("substr", 4, .one, .emptyString),
  ]
}
