import TestSupport

/// What several clients write at once, and what was there before: enough to do it again, and to do it with less.
struct WriteScenario: Sendable {
  /// What a client sends in one piece.
  enum Piece: Sendable {
    case pipeline([[String]])
    case transaction([[String]])
    /// A transaction that watches its first command's key, on a connection of its own to the store.
    case watched([[String]])

    var commands: [[String]] {
      switch self {
      case .pipeline(let commands), .transaction(let commands), .watched(let commands): commands
      }
    }
  }

  /// What the stores hold when it begins.
  enum Start {
    /// Nothing.
    case empty
    /// The old store has keys, and the new one has none.
    case newIsEmpty
    /// The new store lacks every second key of the old one.
    case newIsHalfFilled
  }

  /// Commands that the old store executed before.
  var before: [[String]]
  let start: Start
  /// By client.
  var pieces: [[Piece]]

  /// Random writes of `clients` clients, each about `commandsPerClient` in pieces of up to `longestPiece`.
  init(seed: UInt64, start: Start, clients: Int, commandsPerClient: Int, longestPiece: Int) {
    var writes = RandomWrites(seed: seed)
    before = start == .empty ? [] : (0..<1000).map { _ in writes.next() }
    self.start = start
    pieces = (0..<clients).map { client in
      var writes = RandomWrites(seed: seed * 100 + UInt64(client))
      var pieces: [Piece] = []
      var left = commandsPerClient
      while left > 0 {
        let commands = (0..<min(left, longestPiece)).map { _ in writes.next() }
        left -= commands.count
        if longestPiece > 1, writes.chance(oneIn: 4) {
          pieces.append(writes.chance(oneIn: 2) ? .watched(commands) : .transaction(commands))
        } else {
          pieces.append(.pipeline(commands))
        }
      }
      return pieces
    }
  }

  /// The names of all commands in it, as COMMAND LIST has them.
  var commandNames: Set<String> {
    var names: Set<String> = []
    for command in before + pieces.joined().flatMap(\.commands) {
      let name = command[0].lowercased()
      names.insert(name == "xgroup" ? "xgroup|" + command[1].lowercased() : name)
    }
    return names
  }

  /// Plays it. While the primary is the default store, it is the one that stands for the old store here.
  ///
  /// - Returns: How the new store differs from the old one afterwards; nil if it holds nothing that isn't the same
  ///   there, and everything if both were empty.
  func play(on deployment: Deployment, primaryIsDefault: Bool = false) throws -> String? {
    let servers = [deployment.secondary, deployment.primary]
    let old = try servers[primaryIsDefault ? 1 : 0].client()
    let new = try servers[primaryIsDefault ? 0 : 1].client()
    for store in [old, new] { try store.command("FLUSHALL") }
    try old.command("SET", "dumped", "restored")
    guard case .bulk(let dump?) = try old.command("DUMP", "dumped") else {
      throw TestSupportError(.malformed, "DUMP answered no string")
    }
    try old.command("DEL", "dumped")
    _ = try old.pipeline(bytes: before.map { Self.bytes($0, dump) })
    if start == .newIsHalfFilled { try StoreComparison.copyEverySecondKey(from: old, to: new) }
    let pieces = pieces
    try inThreads(pieces.count) { index in
      let client = try deployment.client()
      for piece in pieces[index] { try Self.send(piece, dump, to: client) }
    }
    return try StoreComparison.difference(old: old, new: new, isComplete: start == .empty)
  }

  private static func send(_ piece: Piece, _ dump: [UInt8], to client: RESPClient) throws {
    let commands: [[String]] =
      switch piece {
      case .pipeline(let commands): commands
      case .transaction(let commands): [["MULTI"]] + commands + [["EXEC"]]
      case .watched(let commands): [["WATCH", commands[0][1]], ["MULTI"]] + commands + [["EXEC"]]
      }
    for reply in try client.pipeline(bytes: commands.map { bytes($0, dump) })
    where reply.errorText?.hasPrefix("ERR MultiStore") == true || reply.errorText?.hasPrefix("EXECABORT") == true {
      throw TestSupportError(.malformed, "\(commands): \(reply)")
    }
  }

  private static func bytes(_ command: [String], _ dump: [UInt8]) -> [[UInt8]] {
    command.map { $0 == RandomWrites.dump ? dump : Array($0.utf8) }
  }
}

extension WriteScenario {
  /// How often a smaller scenario may be played before it counts as one that shows no difference: what several clients
  /// do at once does not come out the same each time.
  private static let attempts = 3

  /// The smallest scenario found within `limit` that still leaves the stores different, and how.
  func shrunk(on deployment: Deployment, within limit: Duration) throws -> (
    scenario: WriteScenario, difference: String
  )? {
    let deadline = ContinuousClock.now + limit
    func fails(_ scenario: WriteScenario) throws -> String? {
      for _ in 0..<Self.attempts {
        if let difference = try scenario.play(on: deployment) { return difference }
      }
      return nil
    }
    guard var difference = try fails(self) else { return nil }
    var smallest = self
    for client in [-1] + Array(pieces.indices) {
      var size = max(1, smallest.count(client) / 2)
      while size > 0, ContinuousClock.now < deadline {
        var start = 0
        while start < smallest.count(client), ContinuousClock.now < deadline {
          var candidate = smallest
          candidate.remove(client, start..<min(start + size, smallest.count(client)))
          if let found = try fails(candidate) {
            (smallest, difference) = (candidate, found)
          } else {
            start += size
          }
        }
        size /= 2
      }
    }
    return (smallest, difference)
  }

  private func count(_ client: Int) -> Int { client < 0 ? before.count : pieces[client].count }

  private mutating func remove(_ client: Int, _ range: Range<Int>) {
    if client < 0 { before.removeSubrange(range) } else { pieces[client].removeSubrange(range) }
  }
}
