import RESP
import TestSupport
import Testing

/// Commands without a case, and why.
private let untested: [String: String] = [
  "auth": "a connection's login", "quit": "ends the connection",
  "reset": "goes back to RESP2", "multi": "QUEUED and EXEC are tested with the commands inside",
  "subscribe": "pushes", "psubscribe": "pushes", "ssubscribe": "pushes", "unsubscribe": "pushes",
  "punsubscribe": "pushes", "sunsubscribe": "pushes", "monitor": "lines at any time", "sync": "takes the connection",
  "psync": "takes the connection", "replconf": "takes the connection", "shutdown": "ends the server",
  "bgsave": "an error while the server forks already", "bgrewriteaof": "an error while the server forks already",
  "script|debug": "makes the connection a debugger's",
]

@Suite("Reply shapes: against live servers")
struct ReplyShapeServerTests {
  @Test func `each command of the table has a case`() {
    let tested = Set((ReplyCase.all + ReplyCase.cluster).map { spec(of: $0.command).id })
    for spec in CommandTable.all.dropFirst() where !tested.contains(spec.id) {
      #expect(untested[spec.name.description] != nil, "\(spec.name) has no case")
    }
    for name in untested.keys {
      guard let spec = CommandTable.line(named: name) else {
        Issue.record("\(name) is no command")
        continue
      }
      #expect(!tested.contains(spec.id), "\(name) has a case")
    }
  }

  @Test(arguments: LiveServer.present)
  func `a RESP2 reply upgraded is the server's RESP3 reply`(server: LiveServer) throws {
    let different = try compare(ReplyCase.all, on: server.start(), in: dialect(of: server), reset: ReplyCase.reset)
    #expect(different > 150)
  }

  @Test(arguments: LiveServer.present)
  func `so it is of a cluster`(server: LiveServer) throws {
    let instance = try RedisServer(
      server == .redis ? .redis : .valkey,
      tcp: true,
      settings: [
        "cluster-enabled yes", "cluster-announce-hostname localhost", "cluster-require-full-coverage no",
        "cluster-port \(try freePort())",
      ]
    )
    let client = try RESPBytesClient(instance.address, version: 2)
    try client.reply(to: ["CLUSTER", "ADDSLOTSRANGE", "0", "16382"])
    try eventually("the cluster's first slots are served") {
      let reply = try client.reply(to: ["CLUSTER", "INFO"])
      return String(decoding: reply, as: UTF8.self).contains("cluster_slots_ok:16383")
    }
    let different = try compare(ReplyCase.cluster, on: instance, in: dialect(of: server), reset: [])
    #expect(different >= 4)
  }

  /// Compares the replies of all cases, and returns how many differ in the two protocols.
  private func compare(
    _ cases: [ReplyCase],
    on server: RedisServer,
    in dialect: ServerDialect,
    reset: [[String]]
  ) throws -> Int {
    var different = 0
    for sample in cases {
      let replies = try [2, 3].map { version in
        let client = try RESPBytesClient(server.address, version: version)
        for command in reset + sample.setup { try client.reply(to: command) }
        if sample.command.starts(with: ["CLIENT", "LIST"]) { try waitUntilAlone(client) }
        return try client.reply(to: sample.command)
      }
      let upgraded = upgrade(replies[0], of: sample.command, in: dialect)
      let text = String(decoding: sample.normalized(upgraded), as: UTF8.self)
      #expect(text == String(decoding: sample.normalized(replies[1]), as: UTF8.self), "\(sample)")
      if upgraded != replies[0] { different += 1 }
    }
    return different
  }

  /// Waits until the server has closed the connections of the samples before.
  private func waitUntilAlone(_ client: RESPBytesClient) throws {
    try eventually("the server has this client alone") {
      let list = String(decoding: try client.reply(to: ["CLIENT", "LIST"]), as: UTF8.self)
      return list.matches(of: /\ addr=/).count == 1
    }
  }

  private func dialect(of server: LiveServer) -> ServerDialect {
    server == .valkey ? .hasArrayOfNoSubcommands : []
  }

  private func upgrade(_ reply: [UInt8], of command: [String], in dialect: ServerDialect) -> [UInt8] {
    let bytes = RESPClient.encode(command)
    var buffer = ByteBuffer()
    buffer.append(reply.span)
    buffer.upgradeReply(from: 0, as: spec(of: command).replyShape(of: bytes.span, in: dialect))
    return buffer.bytes
  }

  private func spec(of command: [String]) -> CommandSpec {
    let name = Array(command[0].utf8)
    guard command.count > 1 else { return CommandTable.spec(CommandTable.lookup(name.span)) }
    let subcommand = Array(command[1].utf8)
    return CommandTable.spec(CommandTable.lookup(name.span, subcommand: subcommand.span))
  }
}
