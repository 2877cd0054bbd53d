// Places, which are kept in sorted sets. GEORADIUS and GEORADIUSBYMEMBER without STORE are reads, and miss as such.
extension CommandTable {
  static let geo: [CommandSpec] = [
    .partial("geoadd", -5, .one),
    .read("geodist", -4, .one, .null),
    .read("geohash", -2, .one, .anyNullElement),
    .read("geopos", -2, .one, .anyNullElement, reply: .always(.positions)),
    .geoRadius("georadius", -6, optionsAt: 6),
    .read("georadius_ro", -6, .one, .emptyCollection, reply: .always(.places)),
    .geoRadius("georadiusbymember", -5, optionsAt: 5),
    .read("georadiusbymember_ro", -5, .one, .emptyCollection, reply: .always(.places)),
    .read("geosearch", -7, .one, .emptyCollection, reply: .always(.places)),
    .write("geosearchstore", -8, .two, .copyFirstKey),
  ]
}
