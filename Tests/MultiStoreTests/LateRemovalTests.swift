internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("A removal of which the old store does not know yet")
struct LateRemovalTests {
  /// The default store has removed the key for a client that watches others. Only the reply is late.
  @Test(
    arguments: [(BatchKind.multi, "DEL k"), (.multi, "LPOP k"), (.single, "DEL k"), (.single, "LPOP k")],
    ["COPY k j", "LPUSHX k x"]
  )
  func `is not undone by a client that needs the key`(removal: (kind: BatchKind, line: String), line: String) throws {
    let instance = try Instance(primaryAsDefault: true)
    let (relay, connection) = try instance.relayedConnection()
    defer { connection.close() }
    try instance.both("RPUSH k v")
    relay.conduct = RelayConduct(replies: .holds)
    let removing = instance.begin(removal.line, as: removal.kind, over: connection)
    try instance.run { (try? instance.primary.command("EXISTS", "k")) == .integer(0) }
    let needing = instance.begin(line)
    // It comes later, and nothing but what waits for the relay is in flight after it.
    try instance.execute("GET unrelated")
    #expect(!removing.isDone && !needing.isDone)
    relay.conduct = .passing
    try instance.run { removing.isDone && needing.isDone && !instance.database.instance.hasDualExecutions }
    #expect(needing.text == ":0|")
    for store in [instance.primary, instance.secondary] {
      #expect(try store.command("EXISTS", "k", "j") == .integer(0))
    }
  }

  /// It can't be asked on the connection of a blocking command whether the command has been served. What the store
  /// has served is written before the answer to a later question, whatever the connection.
  @Test func `is waited for if blocking commands are in flight`() throws {
    let instance = try Instance(primaryAsDefault: true)
    let (relay, connection) = try instance.relayedConnection()
    defer { withExtendedLifetime(relay) { connection.close() } }
    let pings = {
      let line = try instance.primary.command("INFO", "commandstats").string?.split(separator: "\r\n")
        .first { $0.hasPrefix("cmdstat_ping:calls=") }
      return line?.split(separator: "=")[1].prefix { $0.isNumber }
    }
    let before = try pings()
    try instance.execute("COPY k j")
    #expect(try pings() == before)
    let blocked = try instance.beginBlocking("BLPOP l 0", over: connection)
    let clients = { try? instance.primary.command("INFO", "clients").string }
    try instance.run { clients()?.contains("blocked_clients:1") == true }
    try instance.execute("COPY k j")
    #expect(try pings() != before)
    #expect(!blocked.isDone)
  }

  /// The write was answered, and only its copy is in flight: no question may wait behind the blocking command.
  @Test func `is not waited for behind a blocking command on the same connection`() throws {
    let instance = try Instance(primaryAsDefault: true) { $0.writeAcknowledgement = .defaultStore }
    let (relay, connection) = try instance.relayedConnection()
    defer { withExtendedLifetime(relay) { connection.close() } }
    try instance.both("RPUSH k v")
    instance.secondaryServer.pause()
    let removing = instance.begin("DEL k", as: .single, over: connection)
    try instance.run { removing.isDone }
    let blocked = try instance.beginBlocking("BLPOP l 0", over: connection)
    let needing = instance.begin("COPY k j")
    let keyCopies = { instance.database.defaultStore.keysBeingCopied.all.count }
    try instance.run { keyCopies() > 0 && instance.database.defaultStore.ordinary.inFlightCount == 0 }
    instance.secondaryServer.resume()
    try instance.run { needing.isDone }
    #expect(needing.text == ":0|")
    #expect(!blocked.isDone)
  }
}
