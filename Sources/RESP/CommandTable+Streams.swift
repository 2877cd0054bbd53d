// Streams.
//
// XINFO and XPENDING answer an absent key with an error. What a consumer is given (XREADGROUP, XCLAIM, XAUTOCLAIM) is
// noted in the stream together with the time, and depends on who else was served: it is not repeated.
extension CommandTable {
  static let streams: [CommandSpec] = [
    .write("xack", -4, .one),
    .write("xadd", -5, .one, .xadd),
    .write("xautoclaim", -6, .one, .none, .ignored),
    .write("xclaim", -6, .one, .none, .ignored),
    .write("xdel", -3, .one),
    .container("xgroup", -2),
    .write("xgroup|create", -5, .second),
    .write("xgroup|createconsumer", 5, .second),
    .write("xgroup|delconsumer", 5, .second),
    .write("xgroup|destroy", 4, .second),
    .unlisted("xgroup|help", 2),
    .write("xgroup|setid", -5, .second),
    .container("xinfo", -2),
    .read("xinfo|consumers", 4, .second, .never, .ignored),
    .read("xinfo|groups", 3, .second, .never, .ignored),
    .unlisted("xinfo|help", 2),
    .read("xinfo|stream", -3, .second, .never, .ignored),
    .read("xlen", 2, .one, .zero),
    .read("xpending", -3, .one, .never, .ignored),
    .read("xrange", -4, .one, .emptyCollection),
    .read("xread", -4, .streams, .null, .ordered, .blocksWhenAsked),
    .write("xreadgroup", -7, .streams, .none, .ignored, .blocksWhenAsked),
    .read("xrevrange", -4, .one, .emptyCollection),
    .write("xsetid", -3, .one),
    .write("xtrim", -4, .one),
  ]
}
