import Synchronization
import TestSupport
import Testing

@Suite("Subscriptions while the default store moves")
struct SubscriptionMoveTests {
  private static let moves = "multistore_subscription_moves_total"

  /// Numbered messages at full speed, and flips meanwhile.
  @Test(arguments: [true, false])
  func `every message comes once and in order, however often the default moves`(isDual: Bool) throws {
    try NumberedMessages.untilFlipsArePrompt { try Self.listenThroughFlips(isDual: isDual) }
  }

  private static func listenThroughFlips(isDual: Bool) throws -> Bool {
    let deployment = try Deployment(isDual ? .dual : .off)
    let listeners = try (0..<3).map { _ in try deployment.client() }
    _ = try listeners[0].command("SUBSCRIBE", "numbers")
    _ = try listeners[1].command("PSUBSCRIBE", "num*")
    _ = try listeners[2].command("SSUBSCRIBE", "numbers")
    let messages = NumberedMessages(deployment, by: ["PUBLISH", "SPUBLISH"])
    let readers = Threads(3) { thread in
      var next = 0
      while true {
        let text = try listeners[thread].readReply().elements?.last?.string
        if text == "end" { break }
        guard text == "\(next)" else {
          throw TestSupportError(.malformed, "listener \(thread) got \(text ?? "nothing") for \(next)")
        }
        next += 1
      }
      guard next == messages.count else {
        throw TestSupportError(.malformed, "listener \(thread) got \(next) messages")
      }
    }
    guard try messages.moveAll(readers, count: 3, afterFlips: 40) else { return false }
    // The last flip was back to the old store: the new one has no listener left.
    #expect(try deployment.primary.client().command("PUBSUB", "NUMSUB", "numbers").elements?.last == .integer(0))
    #expect(try deployment.secondary.client().command("PUBSUB", "NUMSUB", "numbers").elements?.last == .integer(1))
    return true
  }

  @Test func `who changes subscriptions while the default moves listens to just those in the end`() throws {
    let deployment = try Deployment(.dual)
    let isDone = Atomic(false)
    let flips = Threads(1) { _ in
      var isPrimary = true
      while !isDone.load(ordering: .relaxed) {
        try deployment.sidecar.setFlag(Deployment.defaultFlag, isPrimary)
        isPrimary.toggle()
      }
    }
    defer { isDone.store(true, ordering: .relaxed) }
    try inThreads(3) { thread in
      let client = try deployment.client()
      _ = try client.command("SUBSCRIBE", "base\(thread)")
      for round in 1...150 {
        let reply = try client.command("SUBSCRIBE", "extra\(thread).\(round)")
        guard reply.elements?.last == .integer(2) else { throw TestSupportError(.malformed, "\(reply) in \(round)") }
        let gone = try client.command("UNSUBSCRIBE", "extra\(thread).\(round)")
        guard gone.elements?.last == .integer(1) else { throw TestSupportError(.malformed, "\(gone) in \(round)") }
      }
      _ = try client.command("UNSUBSCRIBE")
    }
    isDone.store(true, ordering: .relaxed)
    try flips.join()
    for store in [deployment.primary, deployment.secondary] {
      let direct = try store.client()
      try eventually("no channel is left") { try direct.command("PUBSUB", "CHANNELS").elements == [] }
    }
  }

  @Test func `a listener stays while the new store is down, and moves when it is up`() throws {
    let deployment = try Deployment(.dual)
    let listener = try deployment.client()
    _ = try listener.command("SUBSCRIBE", "a")
    deployment.primary.kill()
    try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    try deployment.waitForMetric(Self.moves, ["outcome": "late"], 1)
    try deployment.secondary.client().command("PUBLISH", "a", "1")
    #expect(try listener.readReply() == .array([.text("message"), .text("a"), .text("1")]))
    #expect(try listener.command("SUBSCRIBE", "b").elements?.last == .integer(2))
    try deployment.primary.restart()
    try deployment.waitForMetric(Self.moves, ["outcome": "moved"], 1)
    let primary = try deployment.primary.client()
    #expect(try primary.command("PUBLISH", "b", "2") == .integer(1))
    #expect(try listener.readReply() == .array([.text("message"), .text("b"), .text("2")]))
    #expect(try deployment.secondary.client().command("PUBLISH", "a", "x") == .integer(0))
  }

  @Test(arguments: [("SUBSCRIBE", "PUBLISH"), ("SSUBSCRIBE", "SPUBLISH")])
  func `a listener that stays is cut off when its store misses a message`(subscribe: String, publish: String) throws {
    let deployment = try Deployment(.dual)
    let (listener, publisher) = (try deployment.client(), try deployment.client())
    _ = try listener.command(subscribe, "a")
    // The listener can't move to a store that refuses this command.
    try deployment.primary.client().command("ACL", "SETUSER", "default", "-\(subscribe.lowercased())")
    try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    try deployment.waitForMetric(Self.moves, ["outcome": "late"], 1)
    #expect(try publisher.command(publish, "a", "1") == .integer(0))
    #expect(try listener.readReply().elements?.last == .text("1"))
    try deployment.secondary.client().command("ACL", "SETUSER", "default", "-\(publish.lowercased())")
    #expect(try publisher.command(publish, "a", "2") == .integer(0))
    #expect(try listener.readUntilClosed() == [])
    #expect(try deployment.metric(Self.moves, ["outcome": "closed"]) == 1)
    try deployment.waitForMetric("multistore_client_connections_closed_total", ["reason": "subscription_lost"], 1)
  }

  @Test func `a listener that nobody publishes to any more is cut off`() throws {
    let deployment = try Deployment(.off)
    let listener = try deployment.client()
    _ = try listener.command("SUBSCRIBE", "a")
    deployment.primary.kill()
    try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    #expect(try listener.readUntilClosed() == [])
    #expect(try deployment.metric(Self.moves, ["outcome": "closed"]) == 1)
  }

  @Test func `nobody waits long for an old store that hangs`() throws {
    // Longer than anything is waited for here.
    let deployment = try Deployment(.dual, stores: "command_timeout: 60s")
    let listener = try deployment.client()
    _ = try listener.command("SUBSCRIBE", "a")
    deployment.secondary.pause()
    defer { deployment.secondary.resume() }
    try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    #expect(try deployment.client().command("KEYS", "*") == .array([]))
    // Nobody knows what the hanging store has still to say.
    #expect(try listener.readUntilClosed(within: .seconds(20)) == [])
  }
}
