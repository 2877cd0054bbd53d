internal import TestSupport
internal import Testing

/// A server to hold the command table against.
enum LiveServer: String, CaseIterable, CustomTestStringConvertible {
  case redis
  case valkey

  /// Those that this machine has. The suite says in a test of its own when one is lacking.
  static var present: [LiveServer] { allCases.filter { $0 == .redis || ValkeyBinary.path != nil } }

  var testDescription: String { rawValue }

  /// Starts one.
  func start() throws -> RedisServer {
    try RedisServer(self == .redis ? .redis : .valkey)
  }
}

/// What a live server says about one command in its answer to COMMAND.
struct ReportedCommand {
  var name: String
  var arity: Int
  var flags: Set<String>
  var firstKey: Int
  var lastKey: Int
  var step: Int
  /// Whether the positions are those of something that isn't a key: a channel, a cursor.
  var positionsAreNotKeys: Bool
  /// What it does to its keys, for each group of them: `RW`, `update` and so on.
  var keyFlags: [Set<String>]

  /// All commands and subcommands that a server knows, by name.
  static func all(of client: RESPClient) throws -> [String: ReportedCommand] {
    let reply = try #require(try client.command("COMMAND").elements)
    var result: [String: ReportedCommand] = [:]
    func add(_ entries: [RESPReply]) throws {
      for entry in entries {
        let fields = try #require(entry.elements)
        let command = try ReportedCommand(fields)
        result[command.name] = command
        try add(try #require(fields[9].elements))
      }
    }
    try add(reply)
    return result
  }

  private init(_ fields: [RESPReply]) throws {
    name = try #require(fields[0].string).lowercased()
    arity = try #require(fields[1].integer)
    flags = Set(try #require(fields[2].elements).compactMap(\.string))
    firstKey = try #require(fields[3].integer)
    lastKey = try #require(fields[4].integer)
    step = try #require(fields[5].integer)
    let specifications = try #require(fields[8].elements)
    keyFlags = specifications.map { specification in
      guard let pairs = specification.elements, let index = pairs.firstIndex(of: .text("flags")) else { return [] }
      return Set(pairs[index + 1].elements?.compactMap(\.string) ?? [])
    }
    positionsAreNotKeys = !keyFlags.isEmpty && keyFlags.allSatisfy { $0.contains("not_key") }
  }
}
