internal import RESP
internal import TestSupport
internal import Testing

@Suite("Commands that a pause of writes holds: against live servers")
struct CommandPauseServerTests {
  /// Scripts whose first line says whether they write.
  private static let scripts = [
    ["EVAL", "#!lua flags=no-writes\nreturn 1", "0"], ["EVAL", "#!lua flags=allow-stale,no-writes\nreturn 1", "0"],
    ["EVAL", "#!lua\nreturn 1", "0"], ["EVAL", "#!lua flags=allow-oom\nreturn 1", "0"], ["EVAL", "return 1", "0"],
    ["EVAL", "-- #!lua flags=no-writes\nreturn 1", "0"], ["EVAL", "#!lua", "0"], ["EVAL", "#!", "0"],
    ["EVAL", "", "0"],
  ]

  @Test("Each case is held, or not, as the table says", arguments: LiveServer.present)
  func cases(server: LiveServer) throws {
    let instance = try server.start()
    let admin = try instance.client()
    #expect(try admin.command("CLIENT", "PAUSE", "3600000", "WRITE") == .ok)
    var heldCount = 0
    for words in ReplyCase.all.map(\.command) + Self.scripts {
      let (name, second) = (Array(words[0].utf8), Array((words.count > 1 ? words[1] : "").utf8))
      let spec = CommandTable.spec(CommandTable.lookup(name.span, subcommand: second.span))
      guard spec.id != .other, spec.commandClass != .connection, !spec.traits.contains(.hasSubcommands) else {
        continue
      }
      let bytes = RESPClient.encode(words)
      let mayReplicate = spec.accepts(argumentCount: words.count) && spec.mayReplicate(bytes.span)
      // Such a command may wait for others.
      if spec.traits.mayBlock, !mayReplicate { continue }
      let isHeld = try isHeld(bytes, by: instance, admin)
      // The commands that only the other server knows are errors here.
      if let isHeld { #expect(isHeld == mayReplicate, "\(words)") }
      heldCount += isHeld == true ? 1 : 0
    }
    #expect(heldCount > 200)
  }

  /// Whether the server holds a command; nil if it does not know it.
  private func isHeld(_ command: [UInt8], by instance: RedisServer, _ admin: RESPClient) throws -> Bool? {
    let client = try instance.client()
    let id = try #require(try client.command("CLIENT", "ID").integer)
    try client.send(command)
    var fields: [Substring] = []
    try eventually("the command is looked at") {
      fields = try admin.command("CLIENT", "LIST", "ID", "\(id)").string?.split(separator: " ") ?? []
      return !fields.contains("cmd=client|id")
    }
    if fields.contains("cmd=NULL") { return nil }
    return fields.contains { $0.hasPrefix("flags=") && $0.contains("b") }
  }
}
