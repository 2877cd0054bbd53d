import TestSupport
import Testing

@Suite("Guessing passwords")
struct LoginDelayTests {
  private static let failures = "multistore_client_authentication_failures_total"
  private static let delayed = "multistore_client_authentications_delayed_total"
  private static let guesses =
    RESPClient.encode(["AUTH", "wrong"]) + RESPClient.encode(["HELLO", "2", "AUTH", "default", "wrong"])

  @Test func `many connections of one address guess twice a second, and another address does not notice`() throws {
    let deployment = try Deployment(listen: "127.0.0.1:0", instance: ["password: \"let me in\""])
    guard case .port(let port) = try deployment.sidecar.address(of: "instance:sessions") else { return }
    let habit = HostileConnections.Habit.repeating(String(decoding: Self.guesses, as: UTF8.self))
    let crowd = try HostileConnections(100, to: port, from: ["127.0.0.9"], habit)
    let start = ContinuousClock.now
    let before = try deployment.metric(Self.failures) ?? 0
    var slowest = Duration.zero
    while ContinuousClock.now - start < .seconds(3) {
      let begun = ContinuousClock.now
      let client = try deployment.client()
      #expect(try client.command("AUTH", "let me in") == .ok)
      #expect(try client.command("PING") == .simple("PONG"))
      slowest = max(slowest, ContinuousClock.now - begun)
    }
    let guessed = try (deployment.metric(Self.failures) ?? 0) - before
    let allowed = (ContinuousClock.now - start) / .milliseconds(500) + 1
    #expect(guessed >= 2 && guessed <= allowed)
    #expect(slowest < .seconds(10))
    #expect(try deployment.metric(Self.delayed) ?? 0 >= 100)
    #expect(crowd.closedCount == 0)
  }

  @Test func `guesses of one client are answered one after the other, half a second apart`() throws {
    let deployment = try Deployment(instance: ["password: \"let me in\""])
    let client = try deployment.client()
    let start = ContinuousClock.now
    try client.send(Self.guesses + RESPClient.encode(["AUTH", "let me in"]) + RESPClient.encode(["PING"]))
    #expect(try client.readReply().errorText?.hasPrefix("WRONGPASS") == true)
    #expect(try client.readReply().errorText?.hasPrefix("WRONGPASS") == true)
    #expect(ContinuousClock.now - start > .milliseconds(490))
    // The right one waits as well: its answer would tell it from the others.
    #expect(try client.readReply() == .ok)
    #expect(ContinuousClock.now - start > .milliseconds(990))
    #expect(try client.readReply() == .simple("PONG"))
    #expect(try deployment.metric(Self.delayed) == 2)
  }

  @Test func `who is logged in already goes on, and so does who has no password to tell`() throws {
    let deployment = try Deployment(instance: ["password: \"let me in\""])
    let client = try deployment.client()
    #expect(try client.command("AUTH", "let me in") == .ok)
    let guesser = try deployment.client()
    #expect(try guesser.command("AUTH", "wrong").errorText?.hasPrefix("WRONGPASS") == true)
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("HELLO", "2").elements?.isEmpty == false)
    #expect(try guesser.command("PING").errorText?.hasPrefix("NOAUTH") == true)
    #expect(try deployment.metric(Self.delayed) == 0)
  }

  @Test func `a client that leaves while its login waits makes room at once`() throws {
    let deployment = try Deployment(listen: "127.0.0.1:0", instance: ["password: \"let me in\"", "max_clients: 30"])
    let guessers = try (0..<30).map { _ in try deployment.client() }
    for guesser in guessers { try guesser.send(Self.guesses) }
    try deployment.waitForMetric("multistore_client_connections", [:], 30)
    try eventually("they wait") { try deployment.metric(Self.delayed) ?? 0 >= 30 }
    let start = ContinuousClock.now
    for (number, guesser) in guessers.enumerated() {
      if number.isMultiple(of: 2) { guesser.close() } else { guesser.reset() }
    }
    try deployment.waitForMetric("multistore_client_connections", [:], 0)
    // Their guesses alone would have taken half a minute.
    #expect(ContinuousClock.now - start < .seconds(10))
    #expect(try deployment.client().command("AUTH", "let me in") == .ok)
    try deployment.finish()
  }
}
