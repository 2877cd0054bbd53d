import Sockets
import Testing

@testable import Sidecar

private let environment = ["HOST": "redis.internal", "PORT": "6390", "PASSWORD": "a/b@c:d%41?#", "DB": "4"]
  .merging(["URL": "redis://u:p%41@h:1/2", "EMPTY": "", "AUTHORITY": "h:1"]) { first, _ in first }

private struct Expected: Sendable {
  let address: Sockets.SocketAddress
  var user: String?
  var password: String?
  var database: Int?
}

private let good: [(String, Expected)] = [
  ("redis://127.0.0.1", Expected(address: .tcp(host: "127.0.0.1", port: 6379))),
  ("redis://127.0.0.1/", Expected(address: .tcp(host: "127.0.0.1", port: 6379))),
  ("REDIS://h:1/15", Expected(address: .tcp(host: "h", port: 1), database: 15)),
  ("redis://:pw@h", Expected(address: .tcp(host: "h", port: 6379), password: "pw")),
  ("redis://u:pw@h", Expected(address: .tcp(host: "h", port: 6379), user: "u", password: "pw")),
  ("redis://u@h", Expected(address: .tcp(host: "h", port: 6379), user: "u")),
  ("redis://:p%40%2F%c3%bc@h", Expected(address: .tcp(host: "h", port: 6379), password: "p@/ü")),
  ("redis://:a@b@h", Expected(address: .tcp(host: "h", port: 6379), password: "a@b")),
  ("redis://:a:b@h", Expected(address: .tcp(host: "h", port: 6379), password: "a:b")),
  ("redis://[::1]", Expected(address: .tcp(host: "::1", port: 6379))),
  ("redis://[fe80::1%25eth0]:7", Expected(address: .tcp(host: "fe80::1%eth0", port: 7))),
  ("redis://my_store-1.internal:65535", Expected(address: .tcp(host: "my_store-1.internal", port: 65535))),
  ("redis://:${PASSWORD}@h", Expected(address: .tcp(host: "h", port: 6379), password: "a/b@c:d%41?#")),
  ("redis://${HOST}:${PORT}/${DB}", Expected(address: .tcp(host: "redis.internal", port: 6390), database: 4)),
  ("redis://${AUTHORITY}/1", Expected(address: .tcp(host: "h", port: 1), database: 1)),
  ("${URL}", Expected(address: .tcp(host: "h", port: 1), user: "u", password: "pA", database: 2)),
  ("rediss://u:pw@h:7/1", Expected(address: .tcp(host: "h", port: 7), user: "u", password: "pw", database: 1)),
  ("unix:///run/redis.sock", Expected(address: .unix(path: "/run/redis.sock"))),
  ("unix:/run/redis.sock", Expected(address: .unix(path: "/run/redis.sock"))),
  ("unix:///run/a%20b.sock?db=3", Expected(address: .unix(path: "/run/a b.sock"), database: 3)),
  ("unix://:pw@/run/r.sock?db=${DB}", Expected(address: .unix(path: "/run/r.sock"), password: "pw", database: 4)),
]

private let scheme = "a store's URL has to begin with redis://, rediss:// or unix://"
private let port = "the port has to be a number from 1 to 65535"
private let database = "the database has to be a number, such as redis://host:6379/1 or unix:///path?db=1"
private let percent = "a percent sign in a URL has to be followed by two hexadecimal digits; write %25 for %"
private let sentinel =
  "Sentinel has a map of its own in place of url: sentinel: { master: NAME, nodes: [host:port, …] }"
private let bad: [(String, String)] = [
  ("", scheme), ("127.0.0.1:6379", scheme), ("http://h", scheme), ("redis:h", scheme), ("redis:/h", scheme),
  ("rediss:h", scheme), ("rediss://", "the host is missing"), ("rediss://h:0", port),
  ("rediss://h/1?a=b", "a rediss:// URL ends with the database, such as /1; no ? or # may follow"),
  ("valkeys://h", "TLS to a store is written rediss://, for Valkey as well"),
  ("redis+sentinel://h", sentinel),
  ("redis-cluster://h", "Redis Cluster is not supported yet"),
  ("redis://", "the host is missing"), ("redis:///1", "the host is missing"), ("redis://:1", "the host is missing"),
  ("redis://h:", port), ("redis://h:0", port), ("redis://h:65536", port), ("redis://h:-1", port),
  ("redis://h: 1", port), ("redis://h:a", port),
  ("redis://::1", "an IPv6 address has to be in brackets, such as [::1]:6379"),
  ("redis://[::1", "the closing bracket of the IPv6 address is missing"),
  ("redis://[::1]6379", "after the closing bracket of an IPv6 address only :port may follow"),
  ("redis://[h]", "between the brackets has to be an IPv6 address, such as [::1]:6379"),
  ("redis://a b", "the host has a character that no host name can have"),
  ("redis://h/x", database), ("redis://h/-1", database), ("redis://h/1/2", database),
  ("redis://h/2147483648", database),
  ("redis://h/1?a=b", "a redis:// URL ends with the database, such as /1; no ? or # may follow"),
  ("redis://h#1", "a redis:// URL ends with the database, such as /1; no ? or # may follow"),
  (
    "redis://:a/b@h",
    "an @ behind the host; write / ? # @ : and % in a password percent-encoded, or use password_file"
  ),
  ("redis://@h", "nothing stands before the @"), ("redis://:@h", "the password in the URL is empty"),
  ("redis://:${EMPTY}@h", "the password in the URL is empty"),
  ("redis://:a%4@h", percent), ("redis://:a%zz@h", percent),
  ("redis://:%ff@h", "the percent-encoded characters are not UTF-8 text"),
  ("redis://:${NOPE}@h", "the environment variable NOPE is not set"),
  ("unix://run/redis.sock", "a unix:// URL names no host, so that it has three slashes: unix:///path?db=0"),
  ("unix:run.sock", "the path of a unix socket has to be absolute, such as unix:/run/sidecar.sock"),
  ("unix:///a?database=1", "behind the path of a unix:// URL only ?db= with the database may follow"),
  ("unix:///a?db=", database), ("unix:///a?db=x", database),
  (
    "unix:///" + String(repeating: "a", count: 107),
    "the path of a unix socket may have 107 bytes at most; this one has 108"
  ),
]

@Suite("URLs of stores")
struct StoreURLTests {
  private let expansion = EnvironmentExpansion { environment[$0] }

  @Test("Good URLs", arguments: good.indices)
  func goodURL(index: Int) throws {
    let (text, expected) = good[index]
    let url = try StoreURL(text, expansion: expansion)
    #expect(url.address == expected.address, "\(text)")
    #expect(url.username == expected.user, "\(text)")
    #expect(url.password?.value == expected.password, "\(text)")
    #expect(url.database == expected.database ?? 0, "\(text)")
    #expect(url.namesDatabase == (expected.database != nil), "\(text)")
    #expect(url.usesTLS == text.hasPrefix("rediss:"), "\(text)")
  }

  @Test("Bad URLs", arguments: bad)
  func badURL(text: String, message: String) {
    #expect(throws: ValueMistake(message)) { try StoreURL(text, expansion: expansion) }
  }

  @Test("The longest path of a unix socket")
  func longestPath() throws {
    let path = "/" + String(repeating: "a", count: 106)
    #expect(try StoreURL("unix://\(path)", expansion: expansion).address == .unix(path: path))
  }

  @Test(
    "Addresses to listen on that are none",
    arguments: [
      ("6400", "the port is missing; expected an address such as 127.0.0.1:6400 or unix:/run/s.sock"),
      (":6400", "the host is missing"), ("127.0.0.1:65536", "the port has to be a number from 0 to 65535"),
      ("::1", "an IPv6 address has to be in brackets, such as [::1]:6379"),
      ("redis://h:1", "expected an address such as 127.0.0.1:6400 or unix:/run/sidecar.sock, not a URL"),
      ("unix:", "the path of a unix socket has to be absolute, such as unix:/run/sidecar.sock"),
    ]
  )
  func badListenAddress(text: String, message: String) {
    #expect(throws: ValueMistake(message)) { try Sockets.SocketAddress(listening: text) }
  }
}
