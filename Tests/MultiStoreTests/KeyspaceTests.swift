internal import Testing

@testable internal import MultiStore

@Suite("The text of INFO keyspace")
struct KeyspaceTests {
  private static let redis = "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=2500\r\ndb10:keys=7,expires=7,avg_ttl=0\r\n"
  private static let valkey = "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=2500,keys_with_volatile_items=2\r\n"

  @Test("The figures are those of the database that was asked for", arguments: [redis, valkey])
  func figures(info: String) throws {
    let keyspace = try #require(StoreKeyspace(info: info, database: 0))
    #expect(keyspace == StoreKeyspace(keys: 3, expiringKeys: 1, averageTTLMilliseconds: 2500))
  }

  @Test("A server that has not averaged yet says nothing about it")
  func noAverage() {
    let keyspace = StoreKeyspace(info: Self.redis, database: 10)
    #expect(keyspace == StoreKeyspace(keys: 7, expiringKeys: 7, averageTTLMilliseconds: nil))
  }

  @Test("A database without a line is empty", arguments: [1, 100])
  func empty(database: Int) {
    let nothing = StoreKeyspace(keys: 0, expiringKeys: 0, averageTTLMilliseconds: nil)
    #expect(StoreKeyspace(info: Self.redis, database: database) == nothing)
    #expect(StoreKeyspace(info: "# Keyspace\r\n", database: database) == nothing)
  }

  @Test(
    "What can't be read says nothing, rather than that the database is empty",
    arguments: [
      "", "OK", "# Server\r\nredis_version:7.0.15", "# Keyspace\r\ndb0:nonsense", "# Keyspace\r\ndb0:keys=x,expires=1",
    ]
  )
  func unreadable(info: String) {
    #expect(StoreKeyspace(info: info, database: 0) == nil)
  }

  @Test func `of a server with very many databases is read in one pass`() throws {
    let lines = (0..<20_000).map { "db\($0):keys=\($0 + 1),expires=0,avg_ttl=0\r\n" }
    let info = "# Keyspace\r\n" + lines.joined()
    let counts = try #require(StoreKeyspace.databases(info: info))
    #expect(counts.count == 20_000 && counts[19_999]?.keys == 20_000)
    // More than any server has.
    #expect(StoreKeyspace.databases(info: info + info) == nil)
  }

  @Test func `has a number of keys that can be added to others, whatever the server says`() throws {
    let info =
      "# Keyspace\r\ndb0:keys=9223372036854775807,expires=9223372036854775807,avg_ttl=0\r\ndb1:nonsense\r\n"
      + "db-1:keys=1,expires=0\r\ndb99999999999:keys=1,expires=0\r\n"
    let counts = try #require(StoreKeyspace.databases(info: info))
    #expect(counts.mapValues(\.keys) == [0: 1 << 50])
    #expect(StoreKeyspace(info: info, database: 0)?.expiringKeys == 1 << 50)
    #expect(StoreKeyspace(info: info, database: 1) == nil)
    #expect(StoreKeyspace(info: info, database: 2)?.keys == 0)
  }
}
