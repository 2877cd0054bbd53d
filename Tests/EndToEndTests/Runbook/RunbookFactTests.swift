import TestSupport
import Testing

/// What the runbook says of the sidecar and of the servers, where its own commands do not show it.
@Suite("Runbook's facts", .enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
struct RunbookFactTests {
  private let rehearsal: Rehearsal
  private let client: RESPClient
  private let old: RESPClient
  private let new: RESPClient

  init() throws {
    rehearsal = try Rehearsal()
    client = try rehearsal.sidecar.client(instance: "sessions")
    (old, new) = (try rehearsal.old.client(), try rehearsal.new.client())
    try rehearsal.shell.run("dual_write_on")
  }

  @Test func `RENAME of a key to itself copies it, EXPIRE and APPEND of nothing too, and TOUCH does not`() throws {
    let key = OldData.string.key
    try client.expect(["TOUCH", key], .integer(1))
    // What PERSIST has nothing to do for is not copied either.
    try client.expect(["PERSIST", key], .integer(0))
    try new.expect(["EXISTS", key], .integer(0))
    try old.expect(["SET", "renewed", "v"], .ok)
    try client.expect(["EXPIRE", "renewed", "1000"], .integer(1))
    try new.expect(["GET", "renewed"], .text("v"))
    try client.expect(["APPEND", key, ""], .integer(OldData.string.value.utf8.count))
    try new.expect(["GET", key], .text(OldData.string.value))
    try client.expect(["APPEND", "nobody", ""], .integer(0))
    try old.expect(["EXISTS", "nobody"], .integer(1))
    // One of its own: those of the old data may have expired by now.
    try old.expect(["SET", "expiring", "v", "EX", "1000"], .ok)
    try client.expect(["RENAME", "expiring", "expiring"], .ok)
    let expiry = try old.command("PEXPIRETIME", "expiring")
    #expect(try expiry.integer ?? 0 > 0 && new.command("PEXPIRETIME", "expiring") == expiry)
    #expect(try client.command("RENAME", "gone", "gone").errorText == "ERR no such key")
    try new.expect(["EXISTS", "gone"], .integer(0))
  }

  @Test func `once Valkey 9 is the default, Redis 7 gets all keys, but none whose fields expire`() throws {
    try client.expect(["HSET", "known", "f", "1"], .integer(1))
    try rehearsal.shell.run("default_on")
    let born = [
      ["SET", "born:string", "v", "EX", "100"], ["INCR", "born:counter"], ["HSET", "born:hash", "f", "v"],
      ["RPUSH", "born:list", "a"], ["SADD", "born:set", "a"], ["ZADD", "born:zset", "1", "a"],
      ["XADD", "born:stream", "1-1", "f", "v"],
    ]
    for command in born {
      #expect(try client.command(command).errorText == nil)
      for store in [old, new] { try store.expect(["EXISTS", command[1]], .integer(1)) }
    }
    try client.expect(["RENAME", "known", "renamed"], .ok)
    try old.expect(["HGET", "renamed", "f"], .text("1"))
    let labels = ["instance_name": "sessions", "store": "secondary"]
    #expect(try rehearsal.sidecar.metrics().sum("multistore_copy_failures_total") == 0)
    try client.expect(["HEXPIRE", "renamed", "1000", "FIELDS", "1", "f"], .array([.integer(1)]))
    let refused = labels.merging(["reason": "error_reply"]) { $1 }
    try eventually("the failed copy is counted, and the key is stale") {
      let metrics = try rehearsal.sidecar.metrics()
      return metrics["multistore_copy_failures_total", refused] == 1 && metrics["multistore_stale_keys", labels] == 1
    }
  }

  @Test func `Valkey refuses dumps of other servers unless rdb-version-check is relaxed`() throws {
    let setting = "rdb-version-check"
    try new.expect(["CONFIG", "GET", setting], .array([.text(setting), .text("strict")]))
    try new.expect(["CONFIG", "SET", setting, "relaxed"], .ok)
    let info = try #require(try new.command("INFO", "server").string)
    #expect(info.contains("redis_version:7.2.4") && info.contains("valkey_version:9."))
  }
}
