internal import RESP
internal import TestSupport
internal import Testing

/// Commands for each way in which the table says where keys are, odd ones included.
private let samples = [
  "GET k", "PING", "PING k", "SCRIPT LOAD x", "DBSIZE", "FLUSHALL",
  "MGET a b c", "MSET a 1 b 2", "MSET a 1 b", "DEL a", "BITOP AND d a b", "BLPOP a b 0", "BLMOVE a b LEFT RIGHT 0",
  "RENAME a b", "LCS a b LEN", "PFMERGE d a b", "OBJECT FREQ k", "MEMORY USAGE k SAMPLES 5", "XGROUP CREATE k g $",
  "XINFO STREAM k FULL", "SINTERSTORE d a b", "WATCH a b", "SUBSCRIBE a b", "SPUBLISH c m", "SSUBSCRIBE a b",
  "SORT_RO a BY w_*", "COPY a b DB 1",
  "EVAL s 0", "EVAL s 2 a b c", "EVAL s 1 a", "EVAL s 2 a", "EVAL s x a", "EVAL s -1 a", "EVAL s 99999999999 a",
  "EVAL_RO s 1 a b", "EVALSHA h 1 a", "EVALSHA_RO h 1 a", "FCALL f 2 a b", "FCALL_RO f 1 a",
  "LMPOP 2 a b LEFT", "BLMPOP 0 2 a b LEFT", "ZMPOP 1 a MIN", "BZMPOP 0 1 a MIN COUNT 2",
  "SINTERCARD 2 a b LIMIT 1", "SINTERCARD 3 a b", "ZDIFF 2 a b", "ZINTER 2 a b WEIGHTS 1 2", "ZINTERCARD 1 a",
  "ZUNION 1 a", "ZUNIONSTORE d 2 a b WEIGHTS 1 2", "ZINTERSTORE d 1 a", "ZDIFFSTORE d 2 a b", "ZUNIONSTORE d 3 a b",
  "MSETEX 2 a 1 b 2 EX 10", "MSETEX 3 a 1 b 2",
  "XREAD STREAMS a b 0 0", "XREAD COUNT 1 BLOCK 0 STREAMS a b 1 2", "xread streams a 0", "XREAD STREAMS a b 0",
  "XREADGROUP GROUP g c STREAMS a >",
  "XREADGROUP GROUP streams c COUNT 2 NOACK STREAMS a b > >",
  "SORT a", "SORT a STORE d", "SORT a BY w_* GET store LIMIT 0 10 ALPHA STORE d", "sort a store d store e",
  "SORT a BY store", "SORT a LIMIT 0 1 DESC STORE d",
  "GEORADIUS k 1 2 3 m", "GEORADIUS k 1 2 3 m STORE d", "GEORADIUS k 1 2 3 m WITHDIST STOREDIST d",
  "GEORADIUSBYMEMBER k store 3 m", "GEORADIUSBYMEMBER k m 3 m STORE d", "GEORADIUSBYMEMBER k m 3 m COUNT 2 storedist d",
  "MIGRATE h 1 k 0 5", "MIGRATE h 1 '' 0 5 KEYS a b", "MIGRATE h 1 '' 0 5 COPY REPLACE AUTH keys KEYS a b",
  "MIGRATE h 1 '' 0 5 AUTH2 u keys keys a", "MIGRATE h 1 k 0 5 COPY",
]

@Suite("Command table: keys and classes of one command")
struct CommandKeysTests {
  @Test("The keys are those of COMMAND GETKEYS", arguments: LiveServer.present)
  func keysAgree(server: LiveServer) throws {
    let instance = try server.start()
    let client = try instance.client()
    let known = try ReportedCommand.all(of: client)
    for sample in samples {
      let command = Words(sample)
      guard known[command.spec.name.description] != nil else { continue }
      // An error says that there are none, or that the server would refuse the command.
      let expected = try client.command(["COMMAND", "GETKEYS"] + words(sample)).elements ?? []
      #expect(keys(of: command) == expected.compactMap(\.string), "\(sample)")
    }
  }

  @Test("Each command whose keys are not at fixed positions has a sample")
  func samplesAreComplete() {
    let sampled = Set(samples.map { Words($0).spec.id })
    for spec in CommandTable.all {
      switch spec.keys {
      case .none, .range: continue
      case .counted, .streams, .sort, .geoRadius, .migrate: #expect(sampled.contains(spec.id), "\(spec.name)")
      }
    }
  }

  @Test("Too few arguments give no key beyond the last one", arguments: samples)
  func truncated(sample: String) {
    let all = words(sample)
    for count in 1...all.count {
      let command = Words(all.prefix(count).map { $0.isEmpty ? "''" : $0 }.joined(separator: " "))
      let spec = Words(sample).spec
      spec.forEachKey(in: command) { index in
        #expect((1..<count).contains(index), "\(all.prefix(count))")
      }
    }
  }

  @Test(
    "The last of GEORADIUS' destinations counts",
    arguments: ["GEORADIUS k 1 2 3 m STORE a STOREDIST b", "GEORADIUSBYMEMBER k m 3 m STOREDIST a STORE b"]
  )
  func lastDestination(line: String) {
    // Redis 7.0 names both in COMMAND GETKEYS, but writes to the last one only.
    #expect(keys(of: Words(line)) == ["k", "b"])
  }

  @Test(
    "Options make a command another class",
    arguments: [
      ("SORT k", CommandClass.read), ("SORT k BY store", .read), ("SORT k STORE d", .write),
      ("sort k limit 0 1 store d", .write), ("SORT k GET store DESC", .read),
      ("GEORADIUS k 1 2 3 m ASC", .read), ("GEORADIUS k 1 2 3 m STOREDIST d", .write),
      ("GEORADIUSBYMEMBER k store 3 m", .read), ("GEORADIUSBYMEMBER k m 3 m store d", .write),
      ("GETEX k", .read), ("GETEX k PERSIST", .write), ("GETEX k EX 10", .write),
      ("BITFIELD k GET u8 0", .read), ("BITFIELD k GET u8 0 INCRBY u8 0 1", .write), ("bitfield k set u8 0 1", .write),
      ("BITFIELD k", .read), ("BITFIELD_RO k GET u8 0", .read),
      ("XREAD STREAMS k 0", .read), ("XREAD COUNT 1 BLOCK 0 STREAMS k 0", .blocking), ("XREAD STREAMS block 0", .read),
      ("XREADGROUP GROUP g block STREAMS k >", .write), ("XREADGROUP GROUP g c block 0 STREAMS k >", .blocking),
      ("GET k", .read), ("SET k v", .write), ("BLPOP k 0", .blocking), ("NOSUCH k", .unlisted),
    ]
  )
  func classOfOneCommand(line: String, expected: CommandClass) {
    let command = Words(line)
    #expect(command.spec.commandClass(of: command) == expected)
  }

  private func keys(of command: Words) -> [String] {
    var keys: [String] = []
    command.spec.forEachKey(in: command) { keys.append(command.text(at: $0)) }
    return keys
  }
}
