internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("An element that was popped before the default store moved")
struct LatePopTests {
  /// Only the reply is late. The copy of the push finds nothing to copy, since a queue on which a client waits is
  /// empty: nobody else can ever get the element.
  @Test(arguments: ["BLPOP l 0", "BLMOVE l done LEFT RIGHT 0"], [true, false])
  func `is delivered after the move, and what was pushed since stays`(line: String, isPushed: Bool) throws {
    let instance = try Instance()
    let core = instance.multiStore.instance
    core.routingState.holdLimit = .milliseconds(100)
    let (relay, connection) = try instance.relayedConnection()
    defer { connection.close() }
    let client = try instance.beginBlocking(line, over: connection)
    let isBlocked = { try instance.secondary.command("INFO", "clients").string?.contains("blocked_clients:1") == true }
    try instance.run { (try? isBlocked()) == true }
    relay.conduct = RelayConduct(replies: .holds)
    #expect(try instance.execute("RPUSH l e") == ":1|")
    #expect(try !isBlocked())
    _ = core.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    core.noticeFlags()
    try instance.run { instance.database.primary?.isDefault == true && !core.routingState.hasLateWrites }
    #expect(!client.isDone)
    let push = isPushed ? instance.begin("RPUSH l y") : nil
    relay.conduct = .passing
    try instance.run { client.isDone && push?.isDone != false }
    #expect(client.text == (line.hasPrefix("BLPOP") ? "*2|$1|l|$1|e|" : "$1|e|"))
    try instance.run { !core.hasDualExecutions && !core.hasStaleKeys }
    let done = RESPReply.array(line.hasPrefix("BLPOP") ? [] : [.text("e")])
    for store in [instance.primary, instance.secondary] {
      #expect(try store.command("LRANGE", "l", "0", "-1") == .array(isPushed ? [.text("y")] : []))
      #expect(try store.command("LRANGE", "done", "0", "-1") == done)
    }
  }
}
