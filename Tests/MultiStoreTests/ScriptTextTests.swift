internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Texts of scripts")
struct ScriptTextTests {
  private func unrepeatable(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    return ScriptText(bytes.span).unrepeatable
  }

  @Test(arguments: [
    ("redis.call('TIME')", "TIME"), ("return redis.pcall(\"time\")", "TIME"),
    ("local rcall = redis.call rcall('SPOP', k)", "SPOP"),
    ("redis.call 'RANDOMKEY'", "RANDOMKEY"), ("redis.call([[SRANDMEMBER]], KEYS[1])", "SRANDMEMBER"),
    ("local name = 'HRANDFIELD' redis.call(name, KEYS[1])", "HRANDFIELD"),
    ("local command = {'ZRANDMEMBER', KEYS[1]} redis.call(unpack(command))", "ZRANDMEMBER"),
    ("return math.random(10)", "math.random"),
  ])
  func `that ask for the time or for chance are found`(text: String, name: String) {
    #expect(unrepeatable(text) == name)
  }

  @Test(arguments: [
    "redis.call('HSET', KEYS[1], 'time', ARGV[1])", "-- redis.call('TIME')\nreturn 1",
    "--[[ redis.call('TIME') ]] return 1",
    "--[==[ ]] redis.call('SPOP') ]==] return 1", "if ARGV[1] == 'time' then return 1 end",
    "redis.call('XCLAIM', k, g, c, 0, id, 'TIME', ARGV[1])", "math.randomseed(ARGV[1]) return math.random()",
    "return 'a \\'TIME\\''", "local field = 'time'", "redis.call('SMEMBERS', KEYS[1])",
    "return redis.call('PING') .. [[", "'",
    "--[[", "return \"",
  ])
  func `that do the same everywhere are not`(text: String) {
    #expect(unrepeatable(text) == nil)
  }

  @Test func `have the identity that servers give them`() throws {
    let server = try RedisServer()
    let client = try server.client()
    for length in [0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000] {
      let text = "--" + String(repeating: "x", count: length)
      let bytes = Array(text.utf8)
      let digits = try #require(client.command("SCRIPT", "LOAD", text).string)
      let (lower, upper) = (Array(digits.utf8), Array(digits.uppercased().utf8))
      #expect(ScriptID(ofText: bytes.span) == ScriptID(hexadecimal: lower.span), "\(length)")
      #expect(ScriptID(hexadecimal: upper.span) == ScriptID(hexadecimal: lower.span))
    }
    for text in ["", "abc", String(repeating: "g", count: 40)] {
      let bytes = Array(text.utf8)
      #expect(ScriptID(hexadecimal: bytes.span) == nil)
    }
  }
}
