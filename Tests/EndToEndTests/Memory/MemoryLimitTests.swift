import Foundation
import TestSupport
import Testing

/// Attacks by clients that want much more memory than `memory_limit`, and what becomes of a small client and of the
/// process meanwhile.
@Suite("The memory limit", .serialized)
struct MemoryLimitTests {
  private static let limit = 256 << 20
  private static let closed = "multistore_client_connections_closed_total"
  private static let used = "multistore_memory_bytes"
  private static let refusals = "multistore_memory_refusals_total"

  private static func deployment(_ state: MigrationState) throws -> Deployment {
    try Deployment(state, top: ["memory_limit: 256MiB"])
  }

  /// Lets a small client work beside `attack`, and checks how long it waited and how much memory there was.
  ///
  /// Another one works at a store that nobody else uses. How long that one waits is the machine's doing.
  private static func withVictim<Result>(_ deployment: Deployment, _ attack: () throws -> Result) throws -> Result {
    let quietStore = try RedisServer()
    let memory = ResidentMemory(pid: deployment.sidecar.process.pid)
    try memory.forgetPeak()
    let victim = Victim(try deployment.client(limit: .seconds(60)))
    let control = Victim(try quietStore.client())
    let result = Swift.Result { try attack() }
    let (waits, machine) = (try victim.stop(), try control.stop())
    let peak = try memory.peak
    let figures = "p99 \(waits.p99), longest \(waits.longest); without attack \(machine.p99), \(machine.longest)"
    // Some attacks are over before there are many replies, so that one of a hundred is the longest.
    let bound = waits.count < 1000 ? Duration.milliseconds(500) : .milliseconds(50)
    #expect(waits.p99 < bound + machine.p99 * 10, "\(figures)")
    print("memory limit: p99 with an attack and without: \(waits.p99), \(machine.p99); most memory: \(peak >> 20) MiB")
    #expect(peak < limit, "\(peak >> 20) MiB")
    return try result.get()
  }

  private static func beginning(ofSet key: String, bytes: Int) -> [UInt8] {
    Array("*3\r\n$3\r\nSET\r\n$\(key.utf8.count)\r\n\(key)\r\n$\(bytes)\r\n".utf8)
  }

  private static func set(_ key: String, bytes: Int) -> [UInt8] {
    RESPClient.encode([Array("SET".utf8), Array(key.utf8), Array(repeating: UInt8(ascii: "x"), count: bytes)])
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `many large commands wait for room, and all are executed`(state: MigrationState) throws {
    let deployment = try Self.deployment(state)
    let value = Array(repeating: UInt8(ascii: "x"), count: 10 << 20)
    try Self.withVictim(deployment) {
      try inThreads(200, within: .seconds(90)) { index in
        let client = try deployment.client(limit: .seconds(80))
        try client.send(Self.beginning(ofSet: "k\(index % 20)", bytes: value.count))
        try client.send(value, within: .seconds(80))
        try client.send("\r\n")
        #expect(try client.readReply() == .ok)
      }
    }
    #expect(try deployment.client().command("STRLEN", "k7") == .integer(10 << 20))
    if state == .dual { #expect(try deployment.primary.client().command("STRLEN", "k7") == .integer(10 << 20)) }
    #expect(try deployment.metric(Self.refusals) == 0)
    #expect(try deployment.metric(Self.closed, ["reason": "memory_limit"]) == 0)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `a command that can't fit is refused at once`(state: MigrationState) throws {
    let deployment = try Self.deployment(state)
    let part = Array(repeating: UInt8(ascii: "x"), count: 5 << 20)
    try Self.withVictim(deployment) {
      try inThreads(100, within: .seconds(80)) { _ in
        let client = try deployment.client()
        try client.send(Self.beginning(ofSet: "k", bytes: 512 << 20))
        try client.send(part)
        try Self.expectRefusal(of: client)
      }
    }
    #expect(try deployment.metric(Self.refusals) == 100)
  }

  /// Two or one of them fit at a time.
  @Test(arguments: [MigrationState.off, .dual])
  func `clients that announce much and send little make room for one that sends`(state: MigrationState) throws {
    let deployment = try Self.deployment(state)
    let value = Array(repeating: UInt8(ascii: "x"), count: 50 << 20)
    try Self.withVictim(deployment) {
      let clients = try (0..<6).map { _ in try deployment.client() }
      for client in clients {
        try client.send(Self.beginning(ofSet: "k", bytes: value.count))
        try client.send(Array(value.prefix(100 << 10)))
      }
      try eventually("some wait") { try deployment.metric("multistore_clients_waiting_for_memory") ?? 0 > 3 }
      let client = try deployment.client()
      try client.send(Self.beginning(ofSet: "whole", bytes: value.count))
      try client.send(value)
      try client.send("\r\n")
      #expect(try client.readReply() == .ok)
      for client in clients.prefix(4) { try Self.expectRefusal(of: client) }
    }
    #expect(try deployment.client().command("STRLEN", "whole") == .integer(value.count))
  }

  private static func expectRefusal(of client: RESPClient) throws {
    guard case .error(let message) = try client.readReply() else {
      Issue.record("no error")
      return
    }
    #expect(message.hasPrefix("OOM MultiStore: memory_limit of the sidecar is reached"))
  }

  @Test func `a client whose command was refused can go on`() throws {
    let deployment = try Deployment(top: ["memory_limit: 16MiB"])
    let client = try deployment.client()
    try client.send(Self.set("k", bytes: 13 << 20) + RESPClient.encode(["ECHO", "behind"]))
    try Self.expectRefusal(of: client)
    #expect(try client.readReply() == .text("behind"))
    #expect(try client.command("EXISTS", "k") == .integer(0))
    try client.send(Self.set("k", bytes: 5 << 20))
    #expect(try client.readReply() == .ok)
  }

  /// It arrives whole while the reply to the command before it is awaited. What is in it must not be executed.
  @Test(arguments: [false, true])
  func `the end of a refused command is not taken for commands`(clientEnds: Bool) throws {
    let deployment = try Deployment(top: ["memory_limit: 16MiB"])
    let client = try deployment.client()
    let lines = String(repeating: "\nSET injected 1\n", count: 10_000)
    let value = Array(repeating: UInt8(ascii: "x"), count: 13 << 20) + Array(lines.utf8)
    let set = RESPClient.encode([Array("SET".utf8), Array("k".utf8), value, Array("EX".utf8), Array("100".utf8)])
    let behind = RESPClient.encode(["ECHO", "behind"]) + RESPClient.encode(["SET", "after", "v"])
    deployment.secondary.pause()
    try client.send(RESPClient.encode(["GET", "absent"]) + set + behind)
    if clientEnds { client.shutdownWrites() }
    try eventually("it is refused") { try deployment.metric(Self.refusals) == 1 }
    // Now the sidecar has read the rest as well.
    for _ in 0..<3 { #expect(try deployment.client().command("PING") == .simple("PONG")) }
    deployment.secondary.resume()
    #expect(try client.readReply() == .null)
    try Self.expectRefusal(of: client)
    #expect(try client.readReplies(2) == [.text("behind"), .ok])
    let other = try deployment.client()
    #expect(try other.command("EXISTS", "k", "injected", "after") == .integer(1))
    if !clientEnds { #expect(try client.command("PING") == .simple("PONG")) }
  }

  /// Its commands are short, and each answer has a line for every client.
  @Test func `a client that asks often for the list of clients gets it in parts`() throws {
    let deployment = try Deployment()
    let others = try (0..<200).map { _ in try deployment.client() }
    let memory = ResidentMemory(pid: deployment.sidecar.process.pid)
    let before = try memory.peak
    let client = try deployment.client()
    try client.send(String(repeating: "CLIENT LIST\r\n", count: 5_000))
    for _ in 0..<100 { #expect(try client.readReply().string?.contains("cmd=client|list") == true) }
    #expect(try others[0].command("PING") == .simple("PONG"))
    #expect(try memory.peak - before < 32 << 20)
    for other in others { other.close() }
  }

  /// Half of the limit is for large commands, and this one needs all of that.
  @Test(arguments: [MigrationState.off, .dual])
  func `a command that needs all the room gets it when the others are done`(state: MigrationState) throws {
    let deployment = try Deployment(state, top: ["memory_limit: 16MiB"])
    let bytes = state == .dual ? 4_000_000 : 8_000_000
    let other = try deployment.client()
    let command = Self.set("other", bytes: bytes / 2)
    try other.send(Array(command.prefix(300_000)))
    try eventually("it has room") {
      try deployment.sidecar.metrics()[Self.used, ["part": "reserved"]] ?? 0 > 0
    }
    let client = try deployment.client()
    try inThreads(2, within: .seconds(20)) { thread in
      guard thread == 0 else { return try client.send(Self.set("k", bytes: bytes), within: .seconds(20)) }
      try eventually("the other waits") {
        try deployment.metric("multistore_clients_waiting_for_memory") ?? 0 == 1
      }
      try other.send(Array(command.dropFirst(300_000)))
      #expect(try other.readReply() == .ok)
    }
    #expect(try client.readReply() == .ok)
    #expect(try deployment.client().command("STRLEN", "k") == .integer(bytes))
  }

  /// The last read of a client that waits for room may bring all that it needs room for.
  @Test func `a client that waits for room and needs none any more is read on`() throws {
    let deployment = try Deployment(top: ["memory_limit: 16MiB"])
    let client = try deployment.client()
    #expect(try client.command("MULTI") == .ok)
    for _ in 0..<2 {
      try client.send(Self.set("k", bytes: 100 << 10))
      #expect(try client.readReply() == .simple("QUEUED"))
    }
    let others = try (0..<30).map { _ in try deployment.client() }
    for other in others {
      try other.send(Self.beginning(ofSet: "k", bytes: 700 << 10))
      try other.send(Array(repeating: UInt8(ascii: "x"), count: 16 << 10))
    }
    try eventually("there is no room") { try deployment.metric("multistore_clients_waiting_for_memory") ?? 0 > 0 }
    let last = Self.set("k", bytes: 60 << 10)
    try client.send(Array(last.prefix(30 << 10)))
    // Now the sidecar has read that as well.
    #expect(try deployment.client().command("PING") == .simple("PONG"))
    try client.send(Array(last.dropFirst(30 << 10)) + RESPClient.encode(["EXEC"]))
    #expect(try client.readReplies(2) == [.simple("QUEUED"), .array(Array(repeating: .ok, count: 3))])
    #expect(try client.command("PING") == .simple("PONG"))
    for other in others { other.close() }
  }

  /// A blocked client may hold its command for as long as it likes, and makes no progress.
  @Test(arguments: [MigrationState.off, .dual])
  func `a client that is blocked with a large command makes room for others`(state: MigrationState) throws {
    let deployment = try Deployment(state, top: ["memory_limit: 16MiB"])
    let bytes = state == .dual ? 3_000_000 : 6_000_000
    let blocked = try deployment.client()
    let key = Array(repeating: UInt8(ascii: "k"), count: bytes)
    let words = ["XREAD", "BLOCK", "0", "STREAMS"].map { Array($0.utf8) } + [key, Array("0".utf8)]
    try blocked.send(RESPClient.encode(words))
    try eventually("its command is counted") {
      try deployment.sidecar.metrics()[Self.used, ["part": "held"]] ?? 0 >= Double(bytes)
    }
    let client = try deployment.client()
    try client.send(Self.set("k", bytes: bytes), within: .seconds(20))
    #expect(try client.readReply() == .ok)
    #expect(try blocked.readUntilClosed().isEmpty)
    #expect(try deployment.metric(Self.closed, ["reason": "memory_limit"]) == 1)
  }

  @Test func `a refused command whose reply is not wanted is not answered`() throws {
    let deployment = try Deployment(top: ["memory_limit: 16MiB"])
    let client = try deployment.client()
    try client.send(RESPClient.encode(["CLIENT", "REPLY", "SKIP"]) + Self.set("k", bytes: 13 << 20))
    try client.send(RESPClient.encode(["ECHO", "x"]) + RESPClient.encode(["ECHO", "y"]))
    #expect(try client.readReplies(2) == [.text("x"), .text("y")])
    #expect(try deployment.metric(Self.refusals) == 1)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `transactions that do not end are dropped where others need room`(state: MigrationState) throws {
    let deployment = try Self.deployment(state)
    let command = Self.set("k", bytes: 1 << 20)
    let clients = try (0..<20).map { _ in try deployment.client(limit: .seconds(60)) }
    try Self.withVictim(deployment) {
      try inThreads(clients.count, within: .seconds(80)) { index in
        #expect(try clients[index].command("MULTI") == .ok)
        for _ in 0..<25 {
          try clients[index].send(command, within: .seconds(60))
          let reply = try clients[index].readReply()
          guard reply != .simple("QUEUED") else { continue }
          #expect("\(reply)".contains("OOM"))
        }
      }
    }
    var aborted = 0
    for client in clients {
      let reply = try client.command("EXEC")
      if case .error(let message) = reply {
        #expect(message.hasPrefix("EXECABORT Transaction discarded because of MultiStore: memory_limit"))
        aborted += 1
      } else {
        #expect(reply == .array(Array(repeating: .ok, count: 25)))
      }
    }
    #expect(aborted > 0 && aborted < clients.count, "\(aborted) aborted")
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `replies of deep pipelines take no memory`(state: MigrationState) throws {
    let deployment = try Self.deployment(state)
    let client = try deployment.client(limit: .seconds(60))
    let value = String(repeating: "x", count: 1 << 20)
    try client.command("SET", "big", value)
    try Self.withVictim(deployment) {
      try client.send((0..<300).flatMap { _ in RESPClient.encode(["GET", "big"]) })
      for _ in 0..<300 {
        let isWhole = try client.readReply() == .text(value)
        #expect(isWhole)
      }
    }
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `clients that do not read are cut off, the largest first`(state: MigrationState) throws {
    let deployment = try Self.deployment(state)
    try deployment.client().command("SET", "big", String(repeating: "x", count: 500_000))
    let writer = try deployment.client(limit: .seconds(60))
    try Self.withVictim(deployment) {
      let sloths = try (0..<100).map { _ in try deployment.client() }
      for sloth in sloths {
        try sloth.send((0..<8).flatMap { _ in RESPClient.encode(["GET", "big"]) })
        _ = try? sloth.readReply()
        // Both stores have sent the other replies, too: this is about replies that wait for clients. On a busy machine
        // those that the sidecar has still to read from a store would let the small client wait as well.
        try writer.command("SET", "after", "v")
      }
      try eventually("some are cut off") {
        try deployment.metric(Self.closed, ["reason": "memory_limit"]) ?? 0 > 0
      }
    }
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `what clients used is free when they are gone`(state: MigrationState) throws {
    let deployment = try Self.deployment(state)
    do {
      let client = try deployment.client()
      try client.command("SET", "big", String(repeating: "x", count: 1 << 20))
      let keys = Array(repeating: "big", count: 250)
      let sloth = try deployment.client()
      try sloth.send(RESPClient.encode(["MGET"] + keys))
      let sender = try deployment.client()
      try sender.send(Self.beginning(ofSet: "k", bytes: 30 << 20) + Array(repeating: UInt8(ascii: "x"), count: 2 << 20))
      let queuing = try deployment.client()
      #expect(try queuing.command("MULTI") == .ok)
      try queuing.send(Self.set("k", bytes: 1 << 20))
      #expect(try queuing.readReply() == .simple("QUEUED"))
      try deployment.waitForMetric(Self.closed, ["reason": "memory_limit"], 1)
      try eventually("the others are counted") {
        try ["reserved", "held"].allSatisfy { try deployment.sidecar.metrics()[Self.used, ["part": $0]] ?? 0 > 0 }
      }
      for client in [sloth, sender, queuing] { client.close() }
    }
    try deployment.waitForMetric("multistore_client_connections", [:], 0)
    try eventually("nothing is counted") {
      try ["input", "reserved", "held", "output"].allSatisfy {
        try deployment.sidecar.metrics()[Self.used, ["part": $0]] == 0
      }
    }
  }

  @Test func `memory goes back to the system after a peak`() throws {
    let deployment = try Deployment()
    let memory = ResidentMemory(pid: deployment.sidecar.process.pid)
    let before = try memory.now
    let clients = try (0..<60).map { _ in try deployment.client() }
    for (index, client) in clients.enumerated() {
      // Small commands in a transaction: pieces that malloc keeps.
      #expect(try client.command("MULTI") == .ok)
      try client.send((0..<20).flatMap { Self.set("k\(index):\($0)", bytes: 100 << 10) })
      #expect(try client.readReplies(20) == Array(repeating: .simple("QUEUED"), count: 20))
    }
    #expect(try memory.now > before + 100 << 20)
    for client in clients { #expect(try client.command("DISCARD") == .ok) }
    try eventually("memory is given back") { try memory.now < before + 48 << 20 }
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `a reply above the output limit reaches a client that takes it`(state: MigrationState) throws {
    let deployment = try Deployment(state, instance: ["client_output_buffer_limit: 1MiB"])
    let client = try deployment.client(limit: .seconds(60))
    let value = String(repeating: "x", count: 1 << 20)
    for index in 0..<4 { try client.command("SET", "k\(index)", value) }
    let keys = (0..<16).map { "k\($0 % 4)" }
    try client.send(RESPClient.encode(["MGET"] + keys) + RESPClient.encode(["ECHO", "behind"]))
    let isWhole = try client.readReply() == .array(Array(repeating: .text(value), count: 16))
    #expect(isWhole)
    #expect(try client.readReply() == .text("behind"))
  }
}
