import TestSupport
import Testing

/// Clients that say everything at once, over TCP, and then no more: a server has an answer to each word, and so has the
/// sidecar.
@Suite("Random conversations")
struct RandomConversationTests {
  /// One way to be set up.
  struct Setting: CustomTestStringConvertible {
    var state: MigrationState
    var acknowledgement = "both"

    var testDescription: String { "\(state), \(acknowledgement)" }
  }

  @Test(
    "are answered as a server answers them, to the last word, and leave both stores as they would leave that server",
    arguments: [
      Setting(state: .off), Setting(state: .dual), Setting(state: .dual, acknowledgement: "default_store"),
      Setting(state: .dualPrimary), Setting(state: .dualPrimary, acknowledgement: "default_store"),
      Setting(state: .primaryOnly),
    ]
  )
  func conversations(setting: Setting) throws {
    let state = setting.state
    let reference = try RedisServer()
    let deployment = try Deployment(
      state,
      listen: "127.0.0.1:0",
      instance: ["write_acknowledgement: \(setting.acknowledgement)"]
    )
    let stores = state.isDual ? [deployment.primary, deployment.secondary] : [deployment.defaultStore(state)]
    for seed in UInt64(1)...25 {
      try awaitCopies(to: stores, of: deployment)
      for store in stores + [reference] { try store.client().command("FLUSHALL") }
      var conversation = RandomConversation(seed: seed)
      let expected = try replies(to: &conversation, of: reference.client(), end: false)
      let answered = try replies(to: &conversation, of: deployment.client(), end: true)
      let first = zip(answered, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      #expect(first == nil && answered.count == expected.count, "seed \(seed), reply \(first ?? answered.count)")
      for store in stores {
        // Copies may be on their way.
        try eventually("seed \(seed): the \(store === deployment.primary ? "primary" : "secondary") has all of it") {
          let (old, new) = (try reference.client(), try store.client())
          let difference = try StoreComparison.difference(old: old, new: new, isComplete: true)
          if let difference { throw TestSupportError(.malformed, difference) }
          return true
        }
      }
    }
    #expect(try deployment.sidecar.metrics().sum("multistore_copy_failures_total") == 0)
  }

  /// Waits until no copy of the conversation before is under way: it would bring a key back after FLUSHALL.
  ///
  /// Copies reach a store in the order of the writes. One that finds no key to change there is followed by another one,
  /// which may itself need one.
  private func awaitCopies(to stores: [RedisServer], of deployment: Deployment) throws {
    let client = try deployment.client()
    for round in 0..<3 {
      try client.expect(["SET", "round", "\(round)"], .ok)
      for store in stores {
        let direct = try store.client()
        try eventually("the copies are there") { try direct.command("GET", "round") == .text("\(round)") }
      }
    }
  }

  /// All replies but the last one, which has to be there.
  ///
  /// - Parameter end: whether the client says besides that nothing more comes, and what it is let go for.
  private func replies(
    to conversation: inout RandomConversation,
    of client: RESPClient,
    end: Bool
  ) throws -> [RESPReply] {
    let pieces = conversation.bytes()
    let sending = Threads(1) { _ in
      for piece in pieces { try client.send(Array(piece)) }
      if end { client.shutdownWrites() }
    }
    var replies: [RESPReply] = []
    while true {
      let reply = try client.readReply()
      if reply == .text(RandomConversation.end) { break }
      replies.append(reply)
    }
    try sending.join()
    if end { #expect(try client.readUntilClosed() == []) }
    return replies
  }
}
