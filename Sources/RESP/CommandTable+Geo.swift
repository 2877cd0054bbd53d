// Places, which are kept in sorted sets.
extension CommandTable {
  static let geo: [CommandSpec] = [
    .write("geoadd", -5, .one),
    .read("geodist", -4, .one, .null),
    .read("geohash", -2, .one, .anyNullElement),
    .read("geopos", -2, .one, .anyNullElement),
    .write("georadius", -6, .geoRadius(optionsAt: 6), .verbatim, .ordered, .readsUnlessStore, miss: .emptyCollection),
    .read("georadius_ro", -6, .one, .emptyCollection),
    .write(
      "georadiusbymember",
      -5,
      .geoRadius(optionsAt: 5),
      .verbatim,
      .ordered,
      .readsUnlessStore,
      miss: .emptyCollection
    ),
    .read("georadiusbymember_ro", -5, .one, .emptyCollection),
    .read("geosearch", -7, .one, .emptyCollection),
    .write("geosearchstore", -8, .two),
  ]
}
