import TestSupport
import Testing

@Suite("Messages to clients that speak RESP3")
struct PushTests {
  private static func message(_ channel: String, _ text: String) -> String {
    ">3\r\n$7\r\nmessage\r\n$\(channel.utf8.count)\r\n\(channel)\r\n$\(text.utf8.count)\r\n\(text)\r\n"
  }

  private static func confirmation(_ verb: String, _ channel: String, _ count: Int) -> String {
    ">3\r\n$\(verb.utf8.count)\r\n\(verb)\r\n$\(channel.utf8.count)\r\n\(channel)\r\n:\(count)\r\n"
  }

  /// A client that speaks RESP3 and listens to a channel.
  private static func listener(_ deployment: Deployment, to channel: String) throws -> RESPClient {
    let client = try deployment.client()
    try client.speakRESP3()
    let confirmation = confirmation("subscribe", channel, 1)
    #expect(try client.answer([["SUBSCRIBE", channel]], reading: confirmation) == confirmation)
    return client
  }

  @Test(arguments: MigrationState.allCases)
  func `come as pushes of each kind, between replies to any commands`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try Self.listener(deployment, to: "a")
    let confirmations =
      Self.confirmation("psubscribe", "n*", 2) + Self.confirmation("ssubscribe", "shard", 1)
    #expect(
      try client.answer([["PSUBSCRIBE", "n*"], ["SSUBSCRIBE", "shard"]], reading: confirmations) == confirmations
    )
    let publisher = try deployment.client()
    #expect(try publisher.command("PUBLISH", "news", "rain") == .integer(1))
    #expect(try publisher.command("SPUBLISH", "shard", "s") == .integer(1))
    let pushes =
      ">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$4\r\nrain\r\n"
      + ">3\r\n$8\r\nsmessage\r\n$5\r\nshard\r\n$1\r\ns\r\n"
    #expect(try client.next(pushes) == pushes)
    let large = String(repeating: "x", count: 1_000_000)
    #expect(try publisher.command("PUBLISH", "a", large) == .integer(1))
    let push = Self.message("a", large)
    #expect(try client.next(push) == push)
    let replies = "+OK\r\n$1\r\nv\r\n_\r\n+PONG\r\n"
    #expect(
      try client.answer([["SET", "k", "v"], ["GET", "k"], ["GET", "none"], ["PING"]], reading: replies) == replies
    )
    let line = try #require(try publisher.command("CLIENT", "LIST", "TYPE", "pubsub").string)
    #expect(line.contains(" flags=PU ") && line.contains(" sub=1 psub=1 ssub=1 ") && line.contains(" resp=3 "))
  }

  /// What a client has read before it published, and sees afterwards, would look newer than the message.
  @Test(arguments: MigrationState.allCases)
  func `come after the replies to commands that were sent before them`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try Self.listener(deployment, to: "a")
    for round in 0..<100 {
      let commands = [["GET", "none"], ["LRANGE", "none", "0", "-1"], ["PUBLISH", "a", "\(round)"]]
      let wanted = "_\r\n*0\r\n:1\r\n" + Self.message("a", "\(round)")
      #expect(try client.answer(commands, reading: wanted) == wanted)
    }
  }

  @Test(arguments: MigrationState.allCases)
  func `reach a client that waits in a blocking command`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try Self.listener(deployment, to: "a")
    try client.send(RESPClient.encode(["BLPOP", "q", "0"]) + RESPClient.encode(["GET", "none"]))
    let publisher = try deployment.client()
    let store = try deployment.defaultStore(state).client()
    try eventually("the command waits") {
      try store.command("INFO", "clients").string?.contains("blocked_clients:1") == true
    }
    #expect(try publisher.command("PUBLISH", "a", "1") == .integer(1))
    #expect(try client.next(Self.message("a", "1")) == Self.message("a", "1"))
    #expect(try publisher.command("RPUSH", "q", "x") == .integer(1))
    let wanted = "*2\r\n$1\r\nq\r\n$1\r\nx\r\n_\r\n"
    #expect(try client.next(wanted) == wanted)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `reach a client that wants no replies`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try Self.listener(deployment, to: "a")
    try client.send(RESPClient.encode(["CLIENT", "REPLY", "OFF"]))
    for number in 0..<20 {
      try client.send(RESPClient.encode(["MGET", "none", "none"]) + RESPClient.encode(["PUBLISH", "a", "\(number)"]))
      #expect(try client.next(Self.message("a", "\(number)")) == Self.message("a", "\(number)"))
    }
    let wanted = "+OK\r\n_\r\n"
    #expect(try client.answer([["CLIENT", "REPLY", "ON"], ["GET", "none"]], reading: wanted) == wanted)
  }

  /// Numbered messages to clients that send commands all the time, while the default store moves.
  @Test(arguments: [true, false])
  func `come once and in order, however often the default store moves`(isDual: Bool) throws {
    try NumberedMessages.untilFlipsArePrompt { try Self.listenThroughFlips(isDual: isDual) }
  }

  private static func listenThroughFlips(isDual: Bool) throws -> Bool {
    let deployment = try Deployment(isDual ? .dual : .off)
    let listeners = try (0..<2).map { _ in try Self.listener(deployment, to: "numbers") }
    let messages = NumberedMessages(deployment, by: ["PUBLISH"])
    let readers = Threads(2) { thread in
      let count = try Self.readMessages(listeners[thread])
      guard count == messages.count else {
        throw TestSupportError(.malformed, "listener \(thread) got \(count) messages")
      }
    }
    return try messages.moveAll(readers, count: 2, afterFlips: 20)
  }

  /// Reads messages until the last one, with a command in flight all the time.
  ///
  /// - Returns: their number.
  private static func readMessages(_ client: RESPClient) throws -> Int {
    var next = 0
    try client.send(RESPClient.encode(["GET", "none"]))
    while true {
      if try client.readBytes(1) == Array("_".utf8) {
        _ = try client.readBytes(2)
        try client.send(RESPClient.encode(["GET", "none"]))
        continue
      }
      // All of a message but its length and its text; the first byte was read.
      let rest = "3\r\n$7\r\nmessage\r\n$7\r\nnumbers\r\n$"
      guard try client.next(rest) == rest else { throw TestSupportError(.malformed, "no message") }
      guard let length = try client.readLength(), length > 0 else {
        throw TestSupportError(.malformed, "no length")
      }
      let text = String(decoding: try client.readBytes(length + 2).dropLast(2), as: UTF8.self)
      if text == "end" { return next }
      guard text == "\(next)" else { throw TestSupportError(.malformed, "\(text) came for \(next)") }
      next += 1
    }
  }

  /// Pushes that wait for replies are part of what a client may leave untaken.
  @Test func `do not pile up behind a command that is not answered`() throws {
    let deployment = try Deployment(.dual, instance: ["client_output_buffer_limit: 512KiB"])
    let client = try Self.listener(deployment, to: "a")
    let publisher = try deployment.secondary.client()
    try deployment.pauseOnceIdle("primary")
    defer { deployment.primary.resume() }
    try client.send(RESPClient.encode(["SET", "k", "v"]))
    try deployment.waitForMetric("multistore_store_in_flight_commands", ["store": "primary"], 1)
    let text = String(repeating: "x", count: 10_000)
    var sent = 0
    while sent < 1000, try publisher.command("PUBLISH", "a", text) == .integer(1) { sent += 1 }
    try deployment.waitForMetric(
      "multistore_client_connections_closed_total",
      ["reason": "output_buffer_limit"],
      1
    )
    #expect(sent >= 50)
  }
}

extension RESPClient {
  /// Reads the rest of a line, which is a length.
  fileprivate func readLength() throws -> Int? {
    var line: [UInt8] = []
    while line.last != 10 { line += try readBytes(1) }
    return Int(String(decoding: line.dropLast(2), as: UTF8.self))
  }
}
