import Foundation
import TestSupport

/// A client that works with all kinds of keys and holds every reply against what it has to be.
///
/// It is the only one that writes its keys, so it knows what is in them. Any reply but the right one is an error.
struct RunbookClient: Sendable {
  /// A string with a time to live.
  private struct Session {
    let value: String
    /// Between which moments it expires, in Unix milliseconds.
    let expiry: ClosedRange<Int>
  }

  static let sessionLifeMilliseconds = 8000
  private static let sessions = 20
  private static let streamLength = 50
  private static let listLength = 5

  private let id: Int
  /// Rounds that were played.
  private(set) var rounds = 0
  private var sessions: [String: Session] = [:]
  private var visits = 0
  private var cart: [String: String] = [:]
  private var jobs: [String] = []
  private var tags: Set<String> = []
  private var scores: [String: Int] = [:]
  private var entries: [String] = []
  private var orders = 0
  private var clicks = 0

  init(_ id: Int) {
    self.id = id
  }

  /// One of everything.
  mutating func play(_ client: RESPClient) throws {
    rounds += 1
    try strings(client)
    try counters(client)
    try hashes(client)
    try lists(client)
    try sets(client)
    try sortedSets(client)
    try streams(client)
    try transaction(client)
    try pipeline(client)
  }

  /// How `store` differs from what this client wrote; empty if it does not.
  func differences(from store: RESPClient) throws -> [String] {
    let sortedCart = cart.sorted { $0.key < $1.key }
    var expected: [([String], RESPReply)] = [
      (["GET", "visits:\(id)"], .text("\(visits)")),
      (["LRANGE", "jobs:\(id)", "0", "-1"], .array(jobs.map(RESPReply.text))),
      (["SCARD", "tags:\(id)"], .integer(tags.count)),
      (["HLEN", "cart:\(id)"], .integer(cart.count)),
      (["HMGET", "cart:\(id)"] + sortedCart.map(\.key), .array(sortedCart.map { .text($0.value) })),
      (["ZCARD", "board:\(id)"], .integer(scores.count)),
      (["GET", "orders:\(id)"], .text("\(orders)")), (["HGET", "order:\(id)", "last"], .text("\(orders)")),
      (["GET", "clicks:\(id)"], .text("\(clicks)")), (["STRLEN", "track:\(id)"], .integer(clicks)),
    ]
    expected += tags.map { (["SISMEMBER", "tags:\(id)", $0], .integer(1)) }
    expected += scores.map { (["ZSCORE", "board:\(id)", $0.key], .text("\($0.value)")) }
    expected += ["visits", "cart", "jobs", "tags", "board", "log", "orders"].map {
      (["PTTL", "\($0):\(id)"], .integer(-1))
    }
    var differences = try expected.compactMap { command, reply -> String? in
      let found = try store.command(command)
      return found == reply ? nil : "\(command): \(found) where \(reply) has to be"
    }
    let log = try store.command("XRANGE", "log:\(id)", "-", "+").elements?.compactMap { $0.elements?.first?.string }
    if log != entries.suffix(Self.streamLength) { differences.append("log:\(id) has \(log ?? [])") }
    for (key, session) in sessions {
      let expiry = try store.command("PEXPIRETIME", key).integer ?? 0
      let value = try store.command("GET", key)
      if expiry == -2 || value == .null {
        if Self.now < session.expiry.lowerBound { differences.append("\(key) has expired too early") }
      } else if value != .text(session.value) || !session.expiry.contains(expiry) {
        differences.append("\(key) is \(value) and expires at \(expiry), not within \(session.expiry)")
      }
    }
    return differences
  }

  private mutating func strings(_ client: RESPClient) throws {
    let (key, value) = ("session:\(id):\(rounds % Self.sessions)", "user-\(rounds)")
    let life = Self.sessionLifeMilliseconds
    let before = Self.now
    try client.expect(["SET", key, value, "EX", "\(life / 1000)"], .ok)
    // The server's clock has whole milliseconds, and its own for a command may be one that was taken before.
    sessions[key] = Session(value: value, expiry: before + life - 1...Self.now + life)
    let read = try client.command("GET", key)
    guard read == .text(value) || Self.now >= before + life else { throw wrong("GET \(key)", read) }
    try client.expect(["GET", "nobody:\(id)"], .null)
    // What nobody writes, and the new store gets by being copied. Seldom, so that few reads need the old store.
    if id == 0, rounds.isMultiple(of: 50) {
      try client.expect(["GET", OldData.string.key], .text(OldData.string.value))
    }
  }

  private mutating func counters(_ client: RESPClient) throws {
    visits += 1
    try client.expect(["INCR", "visits:\(id)"], .integer(visits))
    visits += 4
    try client.expect(["INCRBY", "visits:\(id)", "4"], .integer(visits))
    try client.expect(["GET", "visits:\(id)"], .text("\(visits)"))
  }

  private mutating func hashes(_ client: RESPClient) throws {
    let field = "item-\(rounds % 30)"
    let isNew = cart.updateValue("\(rounds)", forKey: field) == nil
    try client.expect(["HSET", "cart:\(id)", field, "\(rounds)"], .integer(isNew ? 1 : 0))
    try client.expect(["HGET", "cart:\(id)", field], .text("\(rounds)"))
    let total = cart["total"].flatMap { Int($0) } ?? 0
    cart["total"] = "\(total + 2)"
    try client.expect(["HINCRBY", "cart:\(id)", "total", "2"], .integer(total + 2))
    try client.expect(["HLEN", "cart:\(id)"], .integer(cart.count))
  }

  private mutating func lists(_ client: RESPClient) throws {
    jobs.append("job-\(rounds)")
    try client.expect(["RPUSH", "jobs:\(id)", "job-\(rounds)"], .integer(jobs.count))
    if jobs.count > Self.listLength {
      try client.expect(["LPOP", "jobs:\(id)"], .text(jobs.removeFirst()))
    }
    try client.expect(["LRANGE", "jobs:\(id)", "0", "-1"], .array(jobs.map(RESPReply.text)))
  }

  private mutating func sets(_ client: RESPClient) throws {
    let (tag, old) = ("tag-\(rounds % 25)", "tag-\((rounds + 10) % 25)")
    try client.expect(["SADD", "tags:\(id)", tag], .integer(tags.insert(tag).inserted ? 1 : 0))
    try client.expect(["SREM", "tags:\(id)", old], .integer(tags.remove(old) == nil ? 0 : 1))
    try client.expect(["SCARD", "tags:\(id)"], .integer(tags.count))
    try client.expect(["SISMEMBER", "tags:\(id)", tag], .integer(1))
  }

  private mutating func sortedSets(_ client: RESPClient) throws {
    let player = "player-\(rounds % 15)"
    scores[player, default: 0] += 3
    try client.expect(["ZINCRBY", "board:\(id)", "3", player], .text("\(scores[player]!)"))
    try client.expect(["ZSCORE", "board:\(id)", player], .text("\(scores[player]!)"))
    try client.expect(["ZCARD", "board:\(id)"], .integer(scores.count))
  }

  private mutating func streams(_ client: RESPClient) throws {
    let added = try client.command("XADD", "log:\(id)", "MAXLEN", "\(Self.streamLength)", "*", "round", "\(rounds)")
    guard case .bulk = added, let entry = added.string else { throw wrong("XADD", added) }
    entries = (entries + [entry]).suffix(Self.streamLength)
    try client.expect(["XLEN", "log:\(id)"], .integer(entries.count))
    let last = RESPReply.array([.array([.text(entry), .array([.text("round"), .text("\(rounds)")])])])
    try client.expect(["XREVRANGE", "log:\(id)", "+", "-", "COUNT", "1"], last)
  }

  private mutating func transaction(_ client: RESPClient) throws {
    let isNew = orders == 0
    orders += 1
    try client.expect(["MULTI"], .ok)
    for command in [
      ["INCR", "orders:\(id)"], ["HSET", "order:\(id)", "last", "\(orders)"], ["GET", "orders:\(id)"],
    ] {
      try client.expect(command, .simple("QUEUED"))
    }
    try client.expect(["EXEC"], .array([.integer(orders), .integer(isNew ? 1 : 0), .text("\(orders)")]))
  }

  private mutating func pipeline(_ client: RESPClient) throws {
    clicks += 2
    let replies = try client.pipeline([
      ["INCR", "clicks:\(id)"], ["INCR", "clicks:\(id)"], ["APPEND", "track:\(id)", "ab"], ["GET", "clicks:\(id)"],
      ["ZSCORE", "board:\(id)", "nobody"], ["SMEMBERS", "nothing:\(id)"],
    ])
    let expected: [RESPReply] = [
      .integer(clicks - 1), .integer(clicks), .integer(clicks), .text("\(clicks)"), .null, .array([]),
    ]
    guard replies == expected else { throw wrong("a pipeline", .array(replies)) }
  }

  private func wrong(_ what: String, _ reply: RESPReply) -> TestSupportError {
    TestSupportError(.malformed, "\(what) of client \(id) in round \(rounds) answered \(reply)")
  }

  private static var now: Int { Int(Date().timeIntervalSince1970 * 1000) }
}

extension RESPClient {
  /// Sends a command that has one right answer.
  ///
  /// - Throws: ``TestSupportError`` for any other.
  func expect(_ command: [String], _ reply: RESPReply) throws {
    let answer = try self.command(command)
    guard answer == reply else {
      throw TestSupportError(.malformed, "\(command.joined(separator: " ")) answered \(answer), not \(reply)")
    }
  }
}
