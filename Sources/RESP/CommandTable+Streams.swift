// Streams.
//
// XINFO and XPENDING answer an absent key with an error. The entries that a consumer is given (XREADGROUP, XCLAIM,
// XAUTOCLAIM) are recorded in the stream together with the time, and depend on other consumers: such commands are not
// repeated.
extension CommandTable {
  static let streams: [CommandSpec] = [
    .partial("xack", -4, .one),
    .partial("xadd", -5, .one, .xadd),
    .write("xautoclaim", -6, .one, .copyKeys, .ignored),
    .write("xclaim", -6, .one, .copyKeys, .ignored),
    .partial("xdel", -3, .one),
    .container("xgroup", -2),
    .partial("xgroup|create", -5, .second),
    .partial("xgroup|createconsumer", 5, .second),
    .partial("xgroup|delconsumer", 5, .second),
    .partial("xgroup|destroy", 4, .second),
    .unlisted("xgroup|help", 2),
    .partial("xgroup|setid", -5, .second),
    .container("xinfo", -2),
    .read("xinfo|consumers", 4, .second, .noKeyError, .ignored, reply: .always(.records)),
    .read("xinfo|groups", 3, .second, .noKeyError, .ignored, reply: .always(.streamGroups)),
    .unlisted("xinfo|help", 2),
    .read("xinfo|stream", -3, .second, .noKeyError, .ignored, reply: .always(.stream)),
    .read("xlen", 2, .one, .zero),
    .read("xpending", -3, .one, .noKeyError, .ignored),
    .read("xrange", -4, .one, .emptyCollection, reply: .always(.same)),
    .read("xread", -4, .streams, .null, .ordered, [.blocksWhenAsked, .mergesKeys], reply: .always(.entries)),
    .write("xreadgroup", -7, .streams, .copyKeys, .ignored, .blocksWhenAsked, reply: .always(.entries)),
    .read("xrevrange", -4, .one, .emptyCollection, reply: .always(.same)),
    .partial("xsetid", -3, .one),
    .partial("xtrim", -4, .one),
  ]
}
