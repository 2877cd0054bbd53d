import TestSupport

/// The values that one client's keys may have after its acknowledged writes.
///
/// No other client touches these keys. A write without an answer may have been executed or not; once a later write of
/// the same key is acknowledged, it must not be executed any more.
struct Oracle: Sendable {
  /// An element of a list, and whether the write that added it was acknowledged.
  struct Element {
    let text: String
    var isCertain: Bool
  }

  enum Value: CustomStringConvertible {
    /// The possible strings; nil stands for none.
    case string(Set<String?>)
    /// The possible counts.
    case counter(ClosedRange<Int>)
    case list([Element])
    /// The possible values of each field.
    case hash([String: Set<String?>])
    /// Nothing is known until the key is replaced.
    case anything

    /// The possibilities, for a sentence about a wrong answer.
    var description: String {
      switch self {
      case .string(let strings): strings.map { $0 ?? "nil" }.sorted().joined(separator: " or ")
      case .counter(let range): "\(range)"
      case .list(let elements): "\(elements.map { $0.isCertain ? $0.text : "\($0.text)?" })"
      case .hash(let fields):
        "\(fields.map { "\($0)=\($1.map { $0 ?? "nil" }.sorted().joined(separator: " or "))" }.sorted())"
      case .anything: "anything"
      }
    }
  }

  private(set) var values: [String: Value] = [:]
  /// The keys whose writes through the sidecar were acknowledged. The other store has no reason to have any others.
  private(set) var writtenKeys: Set<String> = []

  private static let writes: Set = ["SET", "INCR", "RPUSH", "HSET", "DEL"]

  /// The most elements that a list may have now.
  func listCount(_ key: String) -> Int {
    if case .list(let elements) = values[key] { elements.count } else { 0 }
  }

  /// A command for each key that reads all of it.
  var reads: [[String]] {
    values.sorted { $0.key < $1.key }.compactMap { key, value in
      switch value {
      case .string, .counter: ["GET", key]
      case .list: ["LRANGE", key, "0", "-1"]
      case .hash: ["HGETALL", key]
      case .anything: nil
      }
    }
  }

  /// Takes a reply that is no error; returns what is wrong with it, or nil.
  mutating func judge(_ command: [String], _ reply: RESPReply) -> String? {
    if Self.writes.contains(command[0]) { writtenKeys.insert(command[1]) }
    let value = values[command[1]]
    let (isRight, newValue) = Self.outcome(command, reply, value)
    values[command[1]] = newValue
    guard !isRight else { return nil }
    return "\(command.joined(separator: " ")) answered \(reply), expected \(value.map { "\($0)" } ?? "no key")"
  }

  /// Notes a command that had no answer, or an error.
  mutating func noteUnanswered(_ command: [String]) {
    let key = command[1]
    if case .anything = values[key] { return }
    switch (command[0], values[key]) {
    case ("SET", let value): values[key] = .string(Self.strings(value).union([command[2]]))
    case ("INCR", let value):
      let range = Self.range(value)
      values[key] = .counter(range.lowerBound...range.upperBound + 1)
    case ("RPUSH", let value):
      values[key] = .list(Self.elements(value) + [Element(text: command[2], isCertain: false)])
    case ("HSET", let value):
      var fields = Self.fields(value)
      fields[command[2], default: [nil]].insert(command[3])
      values[key] = .hash(fields)
    case ("DEL", _): values[key] = .anything
    default: break
    }
  }

  /// Takes a write that was executed before the sidecar was there.
  mutating func noteEarlier(_ command: [String], _ reply: RESPReply) {
    values[command[1]] = Self.outcome(command, reply, values[command[1]]).1
  }

  private static func outcome(_ command: [String], _ reply: RESPReply, _ value: Value?) -> (Bool, Value?) {
    if case .anything = value, !["SET", "DEL"].contains(command[0]) { return (true, value) }
    switch command[0] {
    case "SET": return (reply == .ok, .string([command[2]]))
    case "DEL": return (reply.integer != nil, .list([]))
    case "GET": return (read(reply, value), value)
    case "INCR":
      let range = range(value)
      guard let count = reply.integer else { return (false, .anything) }
      return (range.contains(count - 1), .counter(count...count))
    case "RPUSH": return pushed(command[2], reply, elements(value))
    case "LRANGE": return (holds(reply.elements?.compactMap(\.string), elements(value)), value)
    case "HSET":
      var fields = fields(value)
      let before = fields.updateValue([command[3]], forKey: command[2]) ?? [nil]
      let possible = Set(before.map { $0 == nil ? 1 : 0 })
      return (reply.integer.map { possible.contains($0) } == true, .hash(fields))
    case "HGETALL": return (holds(reply.elements?.compactMap(\.string), fields(value)), value)
    default: return (false, value)
    }
  }

  private static func read(_ reply: RESPReply, _ value: Value?) -> Bool {
    if case .counter(let range) = value {
      return range.contains(reply.string.flatMap { Int($0) } ?? 0)
    }
    return strings(value).contains(reply.string)
  }

  /// The length in the reply tells, mostly, which of the uncertain elements are there.
  private static func pushed(_ text: String, _ reply: RESPReply, _ before: [Element]) -> (Bool, Value) {
    let certain = before.filter(\.isCertain)
    guard let length = reply.integer, (certain.count + 1...before.count + 1).contains(length) else {
      return (false, .anything)
    }
    let added = Element(text: text, isCertain: true)
    if length == certain.count + 1 { return (true, .list(certain + [added])) }
    guard length == before.count + 1 else { return (true, .list(before + [added])) }
    return (true, .list(before.map { Element(text: $0.text, isCertain: true) } + [added]))
  }

  private static func holds(_ found: [String]?, _ elements: [Element]) -> Bool {
    guard var rest = found?[...] else { return false }
    for element in elements {
      if rest.first == element.text {
        rest.removeFirst()
      } else if element.isCertain {
        return false
      }
    }
    return rest.isEmpty
  }

  private static func holds(_ found: [String]?, _ fields: [String: Set<String?>]) -> Bool {
    guard let found, found.count.isMultiple(of: 2) else { return false }
    let pairs = stride(from: 0, to: found.count, by: 2).map { (found[$0], found[$0 + 1]) }
    let values = Dictionary(pairs) { $1 }
    return values.keys.allSatisfy { fields[$0] != nil } && fields.allSatisfy { $1.contains(values[$0]) }
  }

  private static func strings(_ value: Value?) -> Set<String?> {
    if case .string(let strings) = value { strings } else { [nil] }
  }

  private static func range(_ value: Value?) -> ClosedRange<Int> {
    if case .counter(let range) = value { range } else { 0...0 }
  }

  private static func elements(_ value: Value?) -> [Element] {
    if case .list(let elements) = value { elements } else { [] }
  }

  private static func fields(_ value: Value?) -> [String: Set<String?>] {
    if case .hash(let fields) = value { fields } else { [:] }
  }
}
