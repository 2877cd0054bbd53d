import TestSupport
import Testing

@Suite("RESP3: replies, byte by byte")
struct ReplyBytesTests {
  @Test(arguments: MigrationState.allCases)
  func `each reply is that of a server which speaks RESP3`(state: MigrationState) throws {
    try compare(state, with: .redis)
  }

  @Test(
    .enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"),
    arguments: MigrationState.allCases
  )
  func `so it is with Valkey`(state: MigrationState) throws {
    try compare(state, with: .valkey)
  }

  @Test func `each exception is one of a case`() {
    for exception in ReplyException.all {
      #expect(ReplyCase.all.contains(where: exception.concerns), "\(exception.command)")
    }
  }

  /// Has a server and the sidecar execute each case, and compares the bytes of their replies. Both stores are of the
  /// same kind as the server.
  private func compare(_ state: MigrationState, with binary: RedisServer.Binary) throws {
    let server = try RedisServer(binary)
    // PFSELFTEST may take seconds, and a question of the sidecar's own would be among the commands of SLOWLOG.
    let deployment = try Deployment(
      state,
      primaryBinary: binary,
      secondaryBinary: binary,
      instance: ["allow_flush: true", "keyspace_sampling: false"],
      stores: "command_timeout: 60s"
    )
    let sidecar = try deployment.sidecar.address(of: "instance:sessions")
    for sample in ReplyCase.all {
      let expected = try reply(to: sample, at: server.address, of: server)
      let found = try reply(to: sample, at: sidecar, of: deployment.defaultStore(state))
      switch ReplyException.all.first(where: { $0.concerns(sample) })?.kind {
      case nil:
        let message: Comment = "\(sample)"
        #expect(text(sample.normalized(found)) == text(sample.normalized(expected)), message)
      case .sameKind: #expect(found.first == expected.first, "\(sample): \(text(found))")
      case .ownAnswer: #expect(found.first != UInt8(ascii: "-"), "\(sample): \(text(found))")
      case .refused: #expect(text(found).hasPrefix("-ERR MultiStore: '"), "\(sample): \(text(found))")
      }
    }
  }

  /// The reply to the case's command at `address`, behind which `store` is.
  private func reply(to sample: ReplyCase, at address: SocketAddress, of store: RedisServer) throws -> [UInt8] {
    let client = try RESPBytesClient(address, version: 3)
    for command in ReplyCase.reset + sample.setup {
      // The sidecar refuses DEBUG SLEEP.
      if command[0] == "DEBUG" { try store.client().command(command) } else { try client.reply(to: command) }
    }
    return try client.reply(to: sample.command)
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// A command that the sidecar is not to answer with the bytes of a server.
struct ReplyException {
  /// What is expected instead.
  enum Kind {
    /// A value of the same kind: it tells of the sidecar's clients, or of its connection to the store.
    case sameKind
    /// No error: the sidecar answers itself, whichever version the store is of.
    case ownAnswer
    /// The sidecar's own error.
    case refused
  }

  /// The beginning of its words.
  let command: String
  let kind: Kind

  static let all =
    ["CLIENT INFO", "CLIENT LIST", "ACL LOG", "LATENCY HISTOGRAM"].map {
      ReplyException(command: $0, kind: .sameKind)
    }
    + ["CLIENT CAPA", "CLIENT HELP", "CLIENT NO-TOUCH", "CLIENT SETINFO"].map {
      ReplyException(command: $0, kind: .ownAnswer)
    }
    + [
      "ASKING", "CLIENT IMPORT-SOURCE", "FAILOVER", "READONLY", "READWRITE", "REPLICAOF", "SLAVEOF",
      "SWAPDB",
    ]
    .map { ReplyException(command: $0, kind: .refused) }

  func concerns(_ sample: ReplyCase) -> Bool {
    sample.command.joined(separator: " ").uppercased().hasPrefix(command)
  }
}
