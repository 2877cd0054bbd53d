/// What one client sends: strings, counters, lists and hashes that are written again and again, keys that are written
/// once, reads of all of these, pipelines and transactions.
struct Workload {
  /// Commands that are sent together.
  enum Batch {
    case single([String])
    case pipeline([[String]])
    case transaction([[String]])

    /// The commands without MULTI and EXEC.
    var commands: [[String]] {
      switch self {
      case .single(let command): [command]
      case .pipeline(let commands), .transaction(let commands): commands
      }
    }
  }

  /// Keys of each kind.
  private static let keys = 10
  /// The length at which a list is deleted.
  private static let longestList = 20

  private let client: Int
  private var random: SplitMix
  private var serial = 0
  private var onceWritten: [String] = []

  init(client: Int, seed: UInt64) {
    self.client = client
    random = SplitMix(state: seed &+ UInt64(client) &* 0x9e37_79b9)
  }

  /// Commands for keys that are to be there before the sidecar is, as those of an application are: what changes a part
  /// of them makes copies of whole keys.
  var earlierWrites: [[String]] {
    (0..<Self.keys).flatMap { number in
      [
        ["INCR", "\(client):count:\(number)"], ["RPUSH", "\(client):list:\(number)", "earlier"],
        ["HSET", "\(client):hash:\(number)", "f0", "earlier"],
      ]
    }
  }

  /// The next commands.
  mutating func next(_ oracle: Oracle) -> Batch {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<8: .pipeline((0..<4).map { _ in command(oracle) })
    case 8..<14: .transaction((0..<3).map { _ in command(oracle) })
    default: .single(command(oracle))
    }
  }

  private mutating func command(_ oracle: Oracle) -> [String] {
    serial += 1
    let number = Int.random(in: 0..<Self.keys, using: &random)
    let list = "\(client):list:\(number)"
    return switch Int.random(in: 0..<100, using: &random) {
    case 0..<20: ["SET", "\(client):string:\(number)", "v\(serial)"]
    case 20..<32: ["GET", "\(client):string:\(number)"]
    case 32..<46: ["INCR", "\(client):count:\(number)"]
    case 46..<52: ["GET", "\(client):count:\(number)"]
    case 52..<61: oracle.listCount(list) < Self.longestList ? ["RPUSH", list, "v\(serial)"] : ["DEL", list]
    case 61..<66: ["LRANGE", list, "0", "-1"]
    case 66..<76: ["HSET", "\(client):hash:\(number)", "f\(serial % 5)", "v\(serial)"]
    case 76..<81: ["HGETALL", "\(client):hash:\(number)"]
    case 81..<92: writeOnce()
    default: onceWritten.randomElement(using: &random).map { ["GET", $0] } ?? writeOnce()
    }
  }

  private mutating func writeOnce() -> [String] {
    let key = "\(client):once:\(serial)"
    onceWritten.append(key)
    return ["SET", key, "v\(serial)"]
  }
}

/// A small generator of random numbers that gives the same ones for the same seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
