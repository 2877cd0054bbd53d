extension ReplyCase {
  private static let places = "GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"

  static let geo = [
    ReplyCase("GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"),
    ReplyCase("GEODIST k Palermo Catania km", places),
    ReplyCase("GEODIST k Palermo Catania"),
    ReplyCase("GEOHASH k Palermo x", "GEOADD k 13.361389 38.115556 Palermo"),
    ReplyCase("GEOHASH k Palermo"),
    ReplyCase("GEOPOS k Palermo x", "GEOADD k 13.361389 38.115556 Palermo"),
    ReplyCase("GEOPOS k Palermo"),
    ReplyCase("GEOPOS k", "GEOADD k 13.361389 38.115556 Palermo"),
    ReplyCase("GEORADIUS k 15 37 200 km", places),
    ReplyCase("GEORADIUS k 15 37 200 km WITHCOORD", places),
    ReplyCase("GEORADIUS k 15 37 200 km WITHDIST", places),
    ReplyCase("GEORADIUS k 15 37 200 km WITHHASH", places),
    ReplyCase("GEORADIUS k 15 37 200 km WITHHASH WITHCOORD WITHDIST COUNT 1 ASC", places),
    ReplyCase("GEORADIUS k 15 37 200 km WITHDIST WITHCOORD", places),
    ReplyCase("GEORADIUS k 15 37 200 km STORE l", places),
    ReplyCase("GEORADIUS k 15 37 200 km WITHCOORD"),
    ReplyCase("GEORADIUS_RO k 15 37 200 km WITHDIST WITHCOORD", places),
    ReplyCase("GEORADIUS_RO k 15 37 200 km", "GEOADD k 13.361389 38.115556 Palermo"),
    ReplyCase("GEORADIUSBYMEMBER k Palermo 200 km", places),
    ReplyCase("GEORADIUSBYMEMBER k Palermo 200 km WITHCOORD WITHHASH", places),
    ReplyCase("GEORADIUSBYMEMBER k Palermo 200 km STOREDIST l", places),
    ReplyCase("GEORADIUSBYMEMBER_RO k Palermo 200 km WITHCOORD WITHDIST", places),
    ReplyCase(
      "GEORADIUSBYMEMBER_RO k withcoord 200 km WITHDIST",
      "GEOADD k 13.361389 38.115556 withcoord 15.087269 37.502669 Catania"
    ),
    ReplyCase("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km ASC", places),
    ReplyCase("GEOSEARCH k FROMMEMBER Palermo BYBOX 400 400 km WITHCOORD", places),
    ReplyCase(
      "GEOSEARCH k FROMMEMBER withcoord BYBOX 400 400 km WITHDIST",
      "GEOADD k 13.361389 38.115556 withcoord 15.087269 37.502669 Catania"
    ),
    ReplyCase("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km WITHCOORD WITHDIST WITHHASH", places),
    ReplyCase("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km WITHCOORD"),
    ReplyCase("GEOSEARCH k BYPOLYGON 3 10 30 20 30 15 45 WITHCOORD WITHDIST", places),
    ReplyCase("GEOSEARCHSTORE l k FROMLONLAT 15 37 BYRADIUS 200 km", places),
  ]
}
