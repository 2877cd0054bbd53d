import EventLoop
import Glibc
import RESP
import Testing

import class TestSupport.RedisServer
import func TestSupport.eventually

@testable import Hiredis

@Suite struct CommandTests {
  @Test func answersInOrder() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: redis)
    harness.send("PING", on: connection, token: 1)
    harness.send("SET", "key", "value", on: connection, token: 2)
    harness.send("GET", "key", on: connection, token: 3)
    harness.run { harness.outcomes.count == 3 }
    #expect(harness.outcomes.map(\.token) == [1, 2, 3])
    #expect(harness.outcomes.map(\.outcome) == [.reply("+PONG\r\n"), .reply("+OK\r\n"), .reply("$5\r\nvalue\r\n")])
    #expect(harness.completions.map(\.count).reduce(0, +) == 3)
    #expect(harness.completions.allSatisfy { $0.errors == 0 })
    connection.close()
  }

  /// Several commands under way wait for those of the turns that follow at once, and not for long.
  @Test func gathersCommandsOfAFewTurns() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    let sender = SenderInTurns(harness, connection, turns: 5)
    harness.loop.atEndOfTurn(sender)
    harness.run { harness.outcomes.count == 10 }
    #expect(sender.unwrittenCommands == [0, 2, 4, 0, 2])
    connection.close()
  }

  @Test func writesACommandThatIsAloneAtOnce() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    let sender = SenderInTurns(harness, connection, turns: 1, commandsPerTurn: 1)
    harness.loop.atEndOfTurn(sender)
    let second = SenderInTurns(harness, connection, turns: 1, commandsPerTurn: 1)
    harness.loop.atEndOfNextTurn(second)
    harness.run { harness.outcomes.count == 2 }
    #expect(second.unwrittenCommands == [0])
    connection.close()
  }

  /// What is not urgent stays here until it is a lot, until something urgent comes, or for a moment.
  @Test(arguments: EndOfLingering.allCases) func letsLingerWhatIsNotUrgent(end: EndOfLingering) throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    let value = String(repeating: "v", count: 1000)
    let command = encode(["RPUSH", "list", value].map { Array($0.utf8) })
    connection.send(command.span, to: harness, token: 1, isUrgent: false)
    connection.send(command.span, to: harness, token: 2, isUrgent: false)
    #expect(connection.unwrittenBytes == 0)
    #expect(connection.queuedBytes == 2 * command.count)
    var last = 2
    switch end {
    case .time: break
    case .anUrgentOne:
      last += 1
      harness.send("LLEN", "list", on: connection, token: last)
      #expect(connection.unwrittenBytes > 2 * command.count)
    case .aLot:
      while connection.queuedBytes + command.count < Lingering.mostBytes {
        last += 1
        connection.send(command.span, to: harness, token: last, isUrgent: false)
      }
      #expect(connection.unwrittenBytes == 0)
      last += 1
      connection.send(command.span, to: harness, token: last, isUrgent: false)
      #expect(connection.queue.heldBytes == 0)
    case .aLargeOne:
      last += 1
      let large = encode(["SET", "large", String(repeating: "v", count: 20_000)].map { Array($0.utf8) })
      connection.send(large.span, to: harness, token: last, isUrgent: false)
      #expect(connection.queue.heldBytes == 0)
    }
    harness.run { harness.outcomes.count == last }
    #expect(harness.outcomes.map(\.token) == Array(1...last))
    #expect(harness.failures.isEmpty)
    connection.close()
  }

  /// Whether it lingers, or has been handed over because of another command and waits for the end of the turn.
  @Test(arguments: [false, true]) func writesWhatNobodyWaitsForWhenItIsClosed(isFollowed: Bool) throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    let command = encode(["SET", "k", "v"].map { Array($0.utf8) })
    connection.send(command.span, to: harness, token: 1, isUrgent: false)
    if isFollowed { harness.send("PING", on: connection, token: 2) }
    connection.close()
    harness.run { harness.outcomes.count == (isFollowed ? 2 : 1) }
    #expect(harness.failures.allSatisfy { $0 == .closed })
    try eventually { try redis.client().command("GET", "k") == .text("v") }
  }

  /// What would be executed for nobody may take something away: BLPOP, of a client that has gone.
  @Test func keepsWhatSomebodyWaitedForWhenItIsClosed() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    // Written and gone, so that nothing is owed any more.
    connection.send(encode([Array("PING".utf8)]).span, to: harness, token: 1, isUrgent: false)
    harness.run { harness.outcomes.count == 1 }
    harness.send("SET", "k", "v", on: connection, token: 2)
    connection.close()
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.failures == [.closed])
    #expect(try redis.client().command("GET", "k") == .null)
  }

  @Test func tellsTheDelegateNothingOfWhatDoesNotCount() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: redis)
    let command = encode([Array("PING".utf8)])
    connection.send(command.span, to: harness, token: 1, isCounted: false)
    harness.send("PING", on: connection, token: 2)
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.outcomes.map(\.outcome) == [.reply("+PONG\r\n"), .reply("+PONG\r\n")])
    #expect(harness.completions.count == 1)
    redis.pause()
    defer { redis.resume() }
    connection.send(command.span, to: harness, token: 3, isCounted: false)
    harness.send("PING", on: connection, token: 4)
    connection.close()
    connection.send(command.span, to: harness, token: 5, isCounted: false)
    harness.run { harness.outcomes.count == 5 }
    #expect(harness.failures == [.closed, .closed, .closed])
    #expect(harness.reportedFailures == [.closed])
  }

  @Test func givesNoConnectionUpBecauseOfWhatDoesNotCount() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    var limits = ConnectionLimits.quick
    limits.commandTimeout = .milliseconds(100)
    let connection = harness.readyConnection(to: redis, limits)
    redis.pause()
    defer { redis.resume() }
    connection.send(encode([Array("PING".utf8)]).span, to: harness, token: 1, isCounted: false)
    let start = harness.loop.now
    var isLate = false
    let timer = LoopTimer(on: harness.loop) { harness.heard { isLate = true } }
    timer.schedule(after: .milliseconds(300))
    harness.run { isLate }
    timer.close()
    #expect(connection.isReady && harness.outcomes.isEmpty && harness.loop.now - start >= 300_000_000)
    // One that counts has its whole time, and is the one that is told.
    harness.send("PING", on: connection, token: 2)
    harness.run { harness.outcomes.count == 2 }
    #expect(harness.outcomes[1].outcome == .failure(.timedOut) && harness.reportedFailures == [.timedOut])
    guard case .failure(.connectionLost) = harness.outcomes[0].outcome else {
      Issue.record("\(harness.outcomes[0])")
      return
    }
    connection.close()
  }

  /// What holds a large command is kept until the command is written; others follow it in their order.
  @Test func keepsTheOwnerOfALargeCommandUntilItIsWritten() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    redis.pause()
    let value = String(repeating: "v", count: 4_000_000)
    weak var owner: SharedBytes?
    do {
      var command = ByteBuffer()
      command.append(encode(["SET", "key", value].map { Array($0.utf8) }).span)
      let shared = SharedBytes(command, spares: SpareBuffers())
      owner = shared
      harness.send("SET", "key", "before", on: connection, token: 0)
      shared.withSpan { connection.send($0, of: shared, to: harness, token: 1) }
    }
    harness.send("STRLEN", "key", on: connection, token: 2)
    #expect(owner != nil && connection.isCongested)
    #expect(connection.queuedBytes > 2_000_000 && connection.queuedBytes < 4_000_000)
    redis.resume()
    harness.run { harness.outcomes.count == 3 }
    #expect(harness.outcomes.map(\.token) == [0, 1, 2])
    #expect(harness.outcomes.map(\.outcome) == [.reply("+OK\r\n"), .reply("+OK\r\n"), .reply(":4000000\r\n")])
    #expect(owner == nil && !connection.isCongested && connection.queuedBytes == 0)
    connection.close()
  }

  @Test func learnsWhoTheServerIs() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: StoreEndpoint(address: .unix(path: redis.socketPath), database: 3))
    harness.send("CLIENT", "LIST", on: connection)
    harness.run { harness.outcomes.count == 1 }
    let identity = try #require(harness.identities.first)
    #expect(identity.runID?.utf8.count == 40)
    #expect(identity.version?.split(separator: ".").count == 3)
    #expect(identity.flavour == .redis)
    #expect(identity.database == 3)
    guard case .reply(let list) = harness.outcomes[0].outcome else {
      Issue.record("CLIENT LIST got no reply")
      return
    }
    #expect(list.contains(" db=3 "))
    #expect(list.contains(" name=multistore-exporter "))
    connection.close()
  }

  @Test func pipelinesTenThousandCommands() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    for token in 0..<10_000 { harness.send("INCR", "counter", on: connection, token: token) }
    #expect(connection.inFlightCount == 10_000)
    harness.run { harness.outcomes.count == 10_000 }
    #expect(harness.outcomes.enumerated().allSatisfy { $0 == $1.token })
    #expect(harness.outcomes.enumerated().allSatisfy { $1.outcome == .reply(":\($0 + 1)\r\n") })
    #expect(connection.inFlightCount == 0)
    #expect(connection.queuedBytes == 0)
    connection.close()
  }

  /// More than hiredis is given at once, so that commands are held back and follow.
  @Test func sendsMoreThanFitsAtOnce() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: redis)
    let value = String(repeating: "v", count: 100_000)
    for token in 0..<100 { harness.send("SET", "key\(token)", value + "\(token)", on: connection, token: token) }
    #expect(connection.queuedBytes > 10_000_000)
    for token in 100..<200 { harness.send("GETRANGE", "key\(token - 100)", "-3", "-1", on: connection, token: token) }
    harness.run { harness.outcomes.count == 200 }
    #expect(harness.outcomes.map(\.token) == Array(0..<200))
    #expect(harness.outcomes.prefix(100).allSatisfy { $0.outcome == .reply("+OK\r\n") })
    #expect(harness.outcomes[142].outcome == .reply("$3\r\nv42\r\n"))
    #expect(connection.queuedBytes == 0)
    connection.close()
  }

  @Test func carriesLargeBinaryValues() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let receiver = BytesReceiver()
    let connection = harness.connection(to: redis)
    let value = try randomBytes(8 * 1024 * 1024)
    try #require(value.count == 8 * 1024 * 1024)
    connection.send(encode([Array("SET".utf8), [0, 13, 10, 255], value]).span, to: receiver, token: 0)
    connection.send(encode([Array("GET".utf8), [0, 13, 10, 255]]).span, to: receiver, token: 1)
    harness.send("PING", on: connection)
    harness.run { !harness.outcomes.isEmpty }
    #expect(receiver.kinds == [.status, .string])
    #expect(receiver.bytes.last == value)
    connection.close()
  }

  /// Strings that are read right into the reader's memory, alone and within an array, and what stands around them.
  @Test func carriesLargeValuesBetweenSmallOnes() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let receiver = BytesReceiver()
    let connection = harness.connection(to: redis)
    let values = try [300_000, 65_536, 2_000_000].map { try randomBytes($0) }
    for value in values {
      connection.send(encode([Array("RPUSH".utf8), Array("l".utf8), value]).span, to: receiver, token: 0)
    }
    let lrange = encode(["LRANGE", "l", "0", "-1"].map { Array($0.utf8) })
    let lindex = encode(["LINDEX", "l", "0"].map { Array($0.utf8) })
    for command in [lrange, lindex] { connection.send(command.span, to: receiver, token: 0) }
    for token in 0..<1000 { harness.send("PING", on: connection, token: token) }
    harness.run { harness.outcomes.count == 1000 }
    #expect(receiver.kinds == [.integer, .integer, .integer, .array, .string])
    #expect(receiver.bytes.last == values[0])
    let list = values.flatMap { Array("$\($0.count)\r\n".utf8) + $0 + Array("\r\n".utf8) }
    #expect(receiver.encoded[3] == Array("*3\r\n".utf8) + list)
    #expect(harness.outcomes.map(\.token) == Array(0..<1000))
    connection.close()
  }

  /// Each kind of reply, alone and within arrays, encodes to the bytes that Redis sent.
  @Test(arguments: [
    ("return redis.status_reply('FINE')", "+FINE\r\n"),
    ("return redis.error_reply('SOME error')", "-SOME error\r\n"),
    ("return -42", ":-42\r\n"),
    ("return 9223372036854774784", ":9223372036854774784\r\n"),
    ("return 'a\\r\\nb'", "$4\r\na\r\nb\r\n"),
    ("return ''", "$0\r\n\r\n"),
    ("return false", "$-1\r\n"),
    ("return {}", "*0\r\n"),
    (
      "return {1, 'x', false, {}, {'y', {redis.status_reply('S'), redis.error_reply('ERR e')}}}",
      "*5\r\n:1\r\n$1\r\nx\r\n$-1\r\n*0\r\n*2\r\n$1\r\ny\r\n*2\r\n+S\r\n-ERR e\r\n"
    ),
  ])
  func encodesRepliesAsTheyCame(script: String, expected: String) throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: redis)
    harness.send("EVAL", script, "0", on: connection)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.outcomes.map(\.outcome) == [.reply(expected)])
    #expect(harness.completions.map(\.errors) == [expected.hasPrefix("-") ? 1 : 0])
    connection.close()
  }

  @Test func tellsNullArraysFromNullStrings() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.connection(to: redis)
    harness.send("BLPOP", "nothing", "0.01", on: connection)
    harness.send("MULTI", on: connection)
    harness.send("BLPOP", "nothing", "0", on: connection)
    harness.send("GET", "nothing", on: connection)
    harness.send("EXEC", on: connection)
    harness.run { harness.outcomes.count == 5 }
    #expect(harness.outcomes.first?.outcome == .reply("*-1\r\n"))
    #expect(harness.outcomes.last?.outcome == .reply("*2\r\n*-1\r\n$-1\r\n"))
    connection.close()
  }

  @Test func looksIntoReplies() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let receiver = ShapeReceiver()
    let connection = harness.connection(to: redis)
    let script = "return {7, 'text', false, {redis.status_reply('S')}}"
    connection.send(encode(["EVAL", script, "0"].map { Array($0.utf8) }).span, to: receiver, token: 0)
    harness.send("PING", on: connection)
    harness.run { !harness.outcomes.isEmpty }
    #expect(receiver.shape == "array[integer 7,string text,nil,array[status S]]")
    connection.close()
  }

  /// The last byte of the command is the last one of a page, and the next page does not exist.
  @Test func doesNotReadBeyondACommand() throws {
    let redis = try RedisServer()
    let harness = try Harness()
    defer { harness.finish() }
    let connection = harness.readyConnection(to: redis)
    let command = encode([Array("PING".utf8)])
    let guarded = try GuardedBytes(command)
    connection.send(guarded.bytes.span, to: harness, token: 0)
    harness.run { !harness.outcomes.isEmpty }
    #expect(harness.outcomes.map(\.outcome) == [.reply("+PONG\r\n")])
    connection.close()
  }
}

private func randomBytes(_ count: Int) throws -> [UInt8] {
  let file = try #require(fopen("/dev/urandom", "r"))
  defer { fclose(file) }
  return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    initialized = fread(buffer.baseAddress, 1, count, file)
  }
}

/// Keeps the bytes of replies.
final class BytesReceiver: ReplyReceiver {
  var kinds: [ReplyKind] = []
  var bytes: [[UInt8]] = []
  var encoded: [[UInt8]] = []

  func receive(_ reply: borrowing Reply, token: Int) {
    kinds.append(reply.kind)
    var buffer = ByteBuffer()
    reply.encode(into: &buffer)
    encoded.append(buffer.bytes)
    bytes.append(reply.bytes.withUnsafeBufferPointer { Array($0) })
  }

  func receive(failure: ConnectionFailure, token: Int) {
    Issue.record("\(failure)")
  }
}

/// Describes a reply through its public members.
final class ShapeReceiver: ReplyReceiver {
  var shape = ""

  func receive(_ reply: borrowing Reply, token: Int) {
    shape += describe(reply)
  }

  func receive(failure: ConnectionFailure, token: Int) {
    Issue.record("\(failure)")
  }

  private func describe(_ reply: borrowing Reply) -> String {
    switch reply.kind {
    case .array:
      var elements: [String] = []
      for index in 0..<reply.count { elements.append(describe(reply[index])) }
      return "array[\(elements.joined(separator: ","))]"
    case .integer:
      return "integer \(reply.integer)"
    case .nil:
      return "nil"
    default:
      return "\(reply.kind) " + reply.bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
  }
}

/// What makes lingering commands leave.
enum EndOfLingering: CaseIterable {
  case time, anUrgentOne, aLot, aLargeOne
}

/// Sends commands in each of several turns, and sees what is still unwritten of those before.
private final class SenderInTurns: EndOfTurnWorker {
  private(set) var unwrittenCommands: [Int] = []
  private let harness: Harness
  private let connection: HiredisConnection
  private let turns: Int
  private let commandsPerTurn: Int

  init(_ harness: Harness, _ connection: HiredisConnection, turns: Int, commandsPerTurn: Int = 2) {
    self.harness = harness
    self.connection = connection
    self.turns = turns
    self.commandsPerTurn = commandsPerTurn
  }

  func endOfTurn() {
    unwrittenCommands.append(connection.queuedBytes / encode([Array("PING".utf8)]).count)
    for _ in 0..<commandsPerTurn { harness.send("PING", on: connection) }
    if unwrittenCommands.count < turns { harness.loop.atEndOfNextTurn(self) }
  }
}
