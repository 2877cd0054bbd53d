import EventLoop
import RESP
import Testing

import class TestSupport.RedisServer

@testable import Hiredis

/// Connections on which the store speaks unasked.
@Suite struct PushTests {
  @Test func `what the store says comes in order, subscriptions and messages alike`() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let listener = Listener(harness.connection(to: redis), harness)
    harness.run { listener.isReady }
    #expect(listener.push("SUBSCRIBE", "a", "b"))
    #expect(listener.push("SSUBSCRIBE", "s"))
    #expect(listener.push("PING"))
    harness.run { listener.heard.count == 4 }
    let other = harness.connection(to: redis)
    let value = String(repeating: "x", count: 1_000_000)
    for index in 0..<200 { harness.send("PUBLISH", "a", "\(index)", on: other) }
    harness.send("PUBLISH", "b", value, on: other)
    harness.run { listener.heard.count == 205 }
    #expect(
      Array(listener.heard.prefix(5)) == [
        "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n",
        "*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n0\r\n",
      ]
    )
    #expect(listener.heard[203].hasSuffix("\r\n199\r\n"))
    #expect(listener.heard[204].utf8.count == value.utf8.count + 36)
    listener.close()
  }

  @Test func `a lost connection is told of, and comes back in the same mode`() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let listener = Listener(harness.connection(to: redis), harness)
    harness.run { listener.isReady }
    redis.kill()
    harness.run { !listener.downs.isEmpty }
    #expect(!listener.push("PING"))
    try redis.restart()
    harness.run { listener.isReady }
    #expect(listener.push("PING"))
    harness.run { listener.heard == ["+PONG\r\n"] }
    listener.close()
  }

  @Test func `it may be closed by whoever hears of it, with more to come`() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let listener = Listener(harness.connection(to: redis), harness)
    harness.run { listener.isReady }
    listener.onReply = { if $0.heard.count == 3 { $0.close() } }
    for _ in 0..<10 { #expect(listener.push("PING")) }
    let other = harness.connection(to: redis)
    harness.run { listener.heard.count == 3 }
    harness.send("PING", on: other)
    harness.run { harness.outcomes.count == 1 }
    #expect(listener.heard.count == 3)
    #expect(listener.downs.isEmpty)
  }

  @Test(arguments: [
    ("HTTP/1.1 400\r\n", "Protocol error"), ("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "nested"),
  ])
  func `a store that speaks something else is given up`(words: String, reason: String) throws {
    let harness = try Harness()
    defer { harness.finish() }
    let store = try ScriptedStore(on: harness.loop)
    let listener = Listener(harness.connection(to: StoreEndpoint(address: store.address)), harness)
    harness.run { listener.isReady }
    store.streams[0].say("+UNASKED\r\n" + words)
    harness.run { !listener.downs.isEmpty }
    #expect(listener.heard == ["+UNASKED\r\n"])
    #expect(listener.downs[0].detail.contains(reason))
    listener.close()
  }
}

/// Hears what comes over one connection.
private final class Listener: PushReceiver {
  private(set) var heard: [String] = []
  private(set) var downs: [ConnectionDownReason] = []
  private(set) var isReady = false
  var onReply: (Listener) -> Void = { _ in }
  private let connection: HiredisConnection
  private let harness: Harness

  init(_ connection: HiredisConnection, _ harness: Harness) {
    self.connection = connection
    self.harness = harness
    connection.pushReceiver = self
  }

  func push(_ arguments: String...) -> Bool {
    connection.push(encode(arguments.map { Array($0.utf8) }).span)
  }

  func close() {
    connection.pushReceiver = nil
    connection.close()
  }

  func pushConnectionDidBecomeReady(_ connection: HiredisConnection) {
    isReady = true
    harness.heard {}
  }

  func pushConnection(_ connection: HiredisConnection, didReceive reply: borrowing Reply) {
    var buffer = ByteBuffer()
    reply.encode(into: &buffer)
    heard.append(String(decoding: buffer.bytes, as: UTF8.self))
    harness.heard { onReply(self) }
  }

  func pushConnection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason) {
    isReady = false
    downs.append(reason)
    harness.heard {}
  }
}
