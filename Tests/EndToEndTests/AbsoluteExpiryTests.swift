import TestSupport
import Testing

@Suite("Relative times become absolute on the other store")
struct AbsoluteExpiryTests {
  /// Commands that set a relative expiry, by the key they set it on.
  static let commands = [
    "set-ex": ["SET", "set-ex", "v", "EX", "100"],
    "set-px": ["SET", "set-px", "v", "PX", "100000", "NX"],
    "set-get": ["SET", "set-get", "v", "GET", "PX", "100000"],
    "setex": ["SETEX", "setex", "100", "v"],
    "psetex": ["PSETEX", "psetex", "100000", "v"],
    "expire": ["EXPIRE", "expire", "100"],
    "expire-gt": ["EXPIRE", "expire-gt", "100", "LT"],
    "pexpire": ["PEXPIRE", "pexpire", "100000"],
    "getex-ex": ["GETEX", "getex-ex", "EX", "100"],
    "getex-px": ["GETEX", "getex-px", "PX", "100000"],
  ]
  /// Keys that have to be there before.
  static let existing = ["set-get", "expire", "expire-gt", "pexpire", "getex-ex", "getex-px"]

  /// The primary does not run while the copies arrive, so that a relative time would count from too late.
  @Test(arguments: [false, true])
  func `however late the copy arrives`(isPipelined: Bool) throws {
    let deployment = try Deployment(.dual, instance: ["write_acknowledgement: default_store"])
    let client = try deployment.client()
    let secondary = try deployment.secondary.client()
    for key in Self.existing { try client.command("SET", key, "v") }
    try client.command("SET", "dumped", "v")
    let dump = try #require(try dumpedValue(of: "dumped", in: secondary))
    let primary = try deployment.primary.client()
    try eventually { try primary.command("EXISTS", "dumped") == .integer(1) }

    deployment.primary.pause()
    if isPipelined {
      for reply in try client.pipeline(Array(Self.commands.values)) { try expectNoError(reply) }
    } else {
      for command in Self.commands.values { try expectNoError(client.command(command)) }
    }
    let restore = ["RESTORE", "restored", "100000"].map { Array($0.utf8) } + [dump]
    #expect(try client.command(bytes: restore) == .ok)
    try eventually("the copies are late by 700 ms") {
      try secondary.command("PTTL", "restored").integer! <= 99_300
    }
    deployment.primary.resume()

    try eventually { try primary.command("EXISTS", "restored") == .integer(1) }
    for key in Self.commands.keys + ["restored"] {
      let there = try #require(try primary.command("PEXPIRETIME", key).integer)
      let here = try #require(try secondary.command("PEXPIRETIME", key).integer)
      #expect(here > 0 && there == here, "\(key): \(there) on the primary, \(here) on the secondary")
    }
  }

  @Test func `what the default store did not do is not copied, and no expiry stays none`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let primary = try deployment.primary.client()
    try primary.command("SET", "only-there", "v")
    #expect(try client.command("EXPIRE", "only-there", "100") == .integer(0))
    #expect(try client.command("GETEX", "only-there", "EX", "100") == .null)
    #expect(try primary.command("PTTL", "only-there") == .integer(-1))
    try client.command("SET", "k", "v", "EX", "100")
    #expect(try client.command("EXPIRE", "k", "50", "NX") == .integer(0))
    #expect(try primary.command("TTL", "k").integer ?? 0 > 90)
    #expect(try client.command("SET", "k", "w", "KEEPTTL") == .ok)
    #expect(try primary.command("TTL", "k").integer ?? 0 > 90)
    #expect(try client.command("GETEX", "k", "PERSIST") == .text("w"))
    #expect(try primary.command("TTL", "k") == .integer(-1))
    #expect(try client.command("EXPIRE", "k", "-1") == .integer(1))
    #expect(try primary.command("EXISTS", "k") == .integer(0))
  }

  private func dumpedValue(of key: String, in client: RESPClient) throws -> [UInt8]? {
    if case .bulk(let bytes) = try client.command("DUMP", key) { bytes } else { nil }
  }
}
