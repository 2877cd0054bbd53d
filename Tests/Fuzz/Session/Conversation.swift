import FuzzChecks

/// What two clients say, read from any bytes: a byte for what happens next, further ones for its details.
struct Conversation {
  /// What is said at most: an input that says more says nothing new.
  private static let longest = 64
  private static let keys = ["a", "b", "c", "l"]
  private static let values = ["1", "x", "", "\r\n", "OK"]

  /// Commands with one reply each; K is a key, V a value.
  private static let plain = [
    "GET K", "SET K V", "SET K V EX 9", "INCR K", "APPEND K V", "DEL K K", "MGET K K K", "HSET K V V", "HGETALL K",
    "RPUSH l V", "LPOP l", "SADD K V", "SPOP K", "EXPIRE K 9", "TTL K", "RENAME K K", "COPY K K", "SORT l ALPHA",
    "SORT l STORE K", "GETEX K", "XADD K * V V", "XREAD STREAMS K 0", "TYPE K", "SCAN 0", "DBSIZE", "FLUSHDB",
    "PING", "PING V", "ECHO V", "SELECT 0", "CLIENT ID", "CLIENT GETNAME", "CLIENT INFO", "COMMAND COUNT", "TIME",
    "BLPOP K 0.01", "BLMOVE l l LEFT LEFT 0.01", "XREAD BLOCK 1 STREAMS K $",
    "EVAL return{KEYS[1],ARGV[1]} 1 K V", "EVAL return{1,{2,{3}}} 0", "EVALSHA 0 0", "SCRIPT EXISTS 0",
    "MULTI", "MULTI", "EXEC", "EXEC", "DISCARD", "WATCH K", "UNWATCH", "NOSUCH V", "GET", "INFO", "HELLO 2", "HELLO 3",
    "AUTH V", "PUBLISH K V", "ASKING", "OBJECT ENCODING K", "DUMP K", "RESTORE K 0 V", "RESET",
    "CLIENT PAUSE 1", "CLIENT PAUSE 9 WRITE", "CLIENT UNPAUSE",
  ]
  /// Commands after which replies cannot be counted by commands.
  private static let others = [
    "SUBSCRIBE K K", "UNSUBSCRIBE", "PSUBSCRIBE K", "PUNSUBSCRIBE", "CLIENT REPLY OFF", "CLIENT REPLY SKIP",
    "CLIENT REPLY ON", "QUIT", "BLPOP K 0", "SSUBSCRIBE K", "MONITOR",
  ]

  private var bytes: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) {
    self.bytes = bytes[...]
  }

  /// Lets the clients say it all, and throws what is wrong.
  mutating func run() throws {
    let clients = [try FuzzClient(), try FuzzClient()]
    for _ in 0..<Self.longest {
      guard let step = bytes.popFirst() else { break }
      let client = clients[Int(step >> 7)]
      guard client.isOpen else { continue }
      switch step & 0x0f {
      case 0...7: try client.send(words(Self.plain), hasOneReply: true)
      case 8:
        let place = Int(next())
        try client.send(words(Self.plain), cutAt: place, hasOneReply: true)
      case 9, 10: try client.send(words(Self.others), hasOneReply: false)
      case 11: try client.send(raw: take(Int(next()) % 32))
      case 12: try client.send(raw: Array("*2\r\n$3\r\nGET\r\n$\(next())\r\n".utf8))
      case 13: if next() < 32 { try SidecarUnderTest.shared.setFlags(next()) }
      case 14: if next() < 64 { client.disconnect() }
      default: try client.send([take(Int(next()) % 8)] + (0..<next() % 4).map { _ in take(3) }, hasOneReply: false)
      }
    }
    // One after the other: what one of them waits for may be said by the other.
    for (number, client) in clients.enumerated() {
      do {
        try client.finish()
      } catch {
        let said = clients.map { String(decoding: $0.said, as: UTF8.self).debugDescription }
        throw FuzzProblem("client \(number): \(error)\nthe first said \(said[0])\nthe second said \(said[1])")
      }
    }
  }

  private mutating func next() -> UInt8 { bytes.popFirst() ?? 0 }

  private mutating func take(_ count: Int) -> [UInt8] {
    let taken = bytes.prefix(count)
    bytes = bytes.dropFirst(count)
    return Array(taken)
  }

  /// One of `lines`, its places filled.
  private mutating func words(_ lines: [String]) -> [[UInt8]] {
    let line = lines[Int(next()) % lines.count]
    return line.split(separator: " ").map { word in
      switch word {
      case "K": Array(Self.keys[Int(next()) % Self.keys.count].utf8)
      case "V": Array(Self.values[Int(next()) % Self.values.count].utf8)
      default: Array(word.utf8)
      }
    }
  }
}
