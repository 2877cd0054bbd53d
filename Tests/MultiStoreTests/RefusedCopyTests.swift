internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Reads right behind a write that was acknowledged before the other store refused its copy.
@Suite("Reads behind a refused copy")
struct RefusedCopyTests {
  private func instance(primaryAsDefault: Bool) throws -> Instance {
    try Instance(primaryAsDefault: primaryAsDefault) { $0.writeAcknowledgement = .defaultStore }
  }

  /// Sends a write, and a read as soon as the write is answered: then the refusal is on its way.
  private func reply(_ instance: Instance, _ write: String, _ read: String) throws -> String {
    let written = instance.begin(write)
    try instance.run { written.isDone }
    let answered = instance.begin(read)
    try instance.run { answered.isDone }
    return answered.text
  }

  @Test(arguments: [
    ("SET k new", "GET k", "$3|new|"), ("SET k new", "MGET k other", "*2|$3|new|$5|value|"),
    ("HSET h f new", "HGET h f", "$3|new|"), ("HSET h f new", "HMGET h f g", "*2|$3|new|$3|old|"),
    ("RPUSH l c", "LLEN l", ":3|"), ("DEL k", "EXISTS k", ":0|"), ("SET k new EX 1000", "STRLEN k", ":3|"),
  ])
  func `see the old default store's value`(write: String, read: String, expected: String) throws {
    let instance = try instance(primaryAsDefault: false)
    for _ in 0..<20 {
      for line in ["SET k first", "SET other value", "DEL h l", "HSET h f old g old", "RPUSH l a b"] {
        _ = try instance.execute(line)
      }
      try instance.primary.command("ACL", "SETUSER", "default", "-@write")
      #expect(try reply(instance, write, read) == expected, "\(write), \(read)")
      try instance.primary.command("ACL", "SETUSER", "default", "+@all")
    }
  }

  @Test(arguments: [
    ("DEL k", "GET k", "$-1|"), ("DEL k", "MGET k other", "*2|$-1|$5|value|"), ("HDEL h f", "HGET h f", "$-1|"),
    ("HDEL h f", "HMGET h f g", "*2|$-1|$3|old|"), ("LTRIM l 1 0", "LLEN l", ":0|"), ("RENAME k n", "EXISTS k", ":0|"),
  ])
  func `see that the new default store has nothing any more`(write: String, read: String, expected: String) throws {
    let instance = try instance(primaryAsDefault: true)
    for _ in 0..<20 {
      for line in ["SET k first", "DEL h l", "HSET h f old g old", "RPUSH l a b"] { _ = try instance.execute(line) }
      try instance.secondary.command("SET", "other", "value")
      try instance.primary.command("DEL", "other")
      try instance.secondary.command("ACL", "SETUSER", "default", "-@write")
      #expect(try reply(instance, write, read) == expected, "\(write), \(read)")
      try instance.secondary.command("ACL", "SETUSER", "default", "+@all")
    }
  }
}
