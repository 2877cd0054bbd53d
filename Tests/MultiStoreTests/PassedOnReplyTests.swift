internal import EventLoop
internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Large replies of pipelines, which are passed on")
struct PassedOnReplyTests {
  private static let large = String(repeating: "x", count: PipelineExecution.passedOnBytes)
  private static let reply = "$\(large.count)|\(large)|"

  @Test("Replies stay in order, whatever is passed on", arguments: WriteAcknowledgement.allCases, [false, true])
  func order(acknowledgement: WriteAcknowledgement, primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault) { $0.writeAcknowledgement = acknowledgement }
    for client in [instance.primary, instance.secondary] {
      try client.command("MSET", "big", Self.large, "small", "1")
      for element in 0..<500 {
        try client.command("RPUSH", "list", "\(element) \(String(repeating: "y", count: 100))")
      }
    }
    let list = try instance.execute("LRANGE list 0 -1")
    let reply = try instance.execute(
      "GET small",
      "GET big",
      "GET small",
      "LRANGE list 0 -1",
      "GET big",
      "SET k v",
      "GET big",
      "GET absent",
      "GET big",
      "PING"
    )
    let (big, one) = (Self.reply, "$1|1|")
    #expect(reply == one + big + one + list + big + "+OK|" + big + "$-1|" + big + "+PONG|")
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
    #expect(instance.count(MultiStoreMetrics.pipelines, ["command": "pipelined"]) == 1)
  }

  @Test("A difference is found and described by digests")
  func difference() throws {
    let instance = try Instance(primaryAsDefault: true)
    try instance.primary.command("MSET", "same", Self.large, "other", Self.large, "lacking", Self.large)
    try instance.secondary.command("MSET", "same", Self.large, "other", "y" + Self.large.dropFirst())
    let reply = try instance.execute("GET same", "GET other", "GET lacking", "GET same")
    #expect(reply == String(repeating: Self.reply, count: 4))
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff, ["command": "pipelined"]) == 1)
    let event = try #require(instance.events("Gitlab::Redis::MultiStore::PipelinedDiffError").first)
    #expect(event["extra.first_differing_index"] == "1" && event["extra.differing_elements"] == "2")
    let message = try #require(event["message"])
    let digest = /string of 32768 bytes \(digest [0-9a-f]{8}\)/
    #expect(message.matches(of: digest).count == 2, "\(message)")
  }

  @Test("What the other store may know better is waited for")
  func substitute() throws {
    let instance = try Instance(primaryAsDefault: true)
    try instance.secondary.command("SET", "old", Self.large)
    try instance.primary.command("SET", "new", Self.large)
    let reply = try instance.execute("GET old", "GET new", "GET new", "GET absent")
    #expect(reply == String(repeating: Self.reply, count: 3) + "$-1|")
    #expect(instance.count(MultiStoreMetrics.readFallback, ["command": "get"]) == 1)
  }
}
