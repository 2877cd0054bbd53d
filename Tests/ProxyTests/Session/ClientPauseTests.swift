import RESP
import Testing

@testable import Proxy

@Suite("The pause of an instance's clients")
struct ClientPauseTests {
  private typealias Facts = AdmissionFacts
  private static let millisecond: UInt64 = 1_000_000

  private func holds(_ pause: ClientPause, _ line: String, _ facts: Facts = Facts()) -> Bool {
    let words = line.split(separator: " ").map { Array($0.utf8) }
    let command = Array(
      "*\(words.count)\r\n\(words.map { "$\($0.count)\r\n\(String(decoding: $0, as: UTF8.self))\r\n" }.joined())".utf8
    )
    let (name, second) = (words[0], words.count > 1 ? words[1] : [])
    let spec = CommandTable.spec(CommandTable.lookup(name.span, subcommand: second.span))
    return pause.holds(command.span, spec, argumentCount: words.count, facts)
  }

  private func pause(_ mode: ClientPause.Mode) -> ClientPause {
    var pause = ClientPause()
    pause.begin(mode, milliseconds: 10, at: 1)
    return pause
  }

  @Test func `ends at its time, and when it is cancelled`() {
    var pause = ClientPause()
    #expect(pause.mode == nil)
    pause.begin(.writes, milliseconds: 10, at: 5)
    #expect(pause.mode == .writes && pause.end == 10 * Self.millisecond + 5)
    pause.expire(at: pause.end - 1)
    #expect(pause.mode == .writes)
    pause.expire(at: pause.end)
    #expect(pause.mode == nil)
    pause.begin(.all, milliseconds: 10, at: 5)
    pause.cancel()
    #expect(pause.mode == nil)
  }

  @Test func `is neither shortened nor relaxed by a later one, but by one after its end`() {
    var pause = ClientPause()
    pause.begin(.all, milliseconds: 10, at: 0)
    pause.begin(.writes, milliseconds: 5, at: 0)
    #expect(pause.mode == .all && pause.end == 10 * Self.millisecond)
    pause.begin(.writes, milliseconds: 20, at: 0)
    #expect(pause.mode == .all && pause.end == 20 * Self.millisecond)
    pause.begin(.writes, milliseconds: 1, at: 20 * Self.millisecond)
    #expect(pause.mode == .writes && pause.end == 21 * Self.millisecond)
    pause.begin(.all, milliseconds: 0, at: 20 * Self.millisecond)
    #expect(pause.mode == .all && pause.end == 21 * Self.millisecond)
  }

  @Test func `of no time is none, and one without an end has the latest time as its end`() {
    var pause = ClientPause()
    pause.begin(.all, milliseconds: 0, at: 7)
    #expect(pause.mode == nil)
    pause.begin(.all, milliseconds: .max, at: 7)
    #expect(pause.mode == .all && pause.end == .max)
  }

  @Test(
    arguments: [
      "SET k v", "DEL k", "PFCOUNT k", "PUBLISH c m", "SPUBLISH c m", "EVAL return 0", "EVALSHA x 0", "FCALL f 0",
      "BLPOP k 0", "XREADGROUP GROUP g c STREAMS k >", "GETEX k", "SORT k", "BITFIELD k GET u8 0", "FUNCTION FLUSH",
      "FLUSHALL", "NO-SERVER-KNOWS-IT",
    ]
  )
  func `of writes holds what may change data or is replicated`(line: String) {
    #expect(holds(pause(.writes), line))
    #expect(holds(pause(.all), line))
  }

  @Test(
    arguments: [
      "GET k", "SORT_RO k", "XREAD BLOCK 0 STREAMS k $", "EVAL_RO x 0", "FCALL_RO f 0", "SCRIPT LOAD x", "PING",
      "MULTI",
      "DISCARD", "EXEC", "WATCH k", "SUBSCRIBE c", "CLIENT UNPAUSE", "CLIENT PAUSE 1", "CONFIG GET x", "QUIT", "RESET",
      "AUTH x", "HELLO 3",
    ]
  )
  func `of writes lets others pass, and one of all holds them too`(line: String) {
    #expect(!holds(pause(.writes), line))
    #expect(holds(pause(.all), line))
    #expect(!holds(ClientPause(), line))
  }

  @Test func `holds an EXEC of a transaction that may write`() {
    #expect(holds(pause(.writes), "EXEC", Facts(isInTransaction: true, transactionMayReplicate: true)))
    #expect(!holds(pause(.writes), "EXEC", Facts(isInTransaction: true)))
    #expect(!holds(pause(.writes), "EXEC now", Facts(isInTransaction: true, transactionMayReplicate: true)))
  }

  @Test func `does not delay an error that a server finds before it looks for a pause`() {
    for line in ["SET k", "GET", "CLIENT NOSUCH", "FUNCTION NOSUCH x", "CLIENT PAUSE"] {
      #expect(!holds(pause(.all), line), "\(line)")
    }
    let stranger = Facts(isLoggedIn: false)
    #expect(!holds(pause(.all), "SET k v", stranger) && holds(pause(.all), "AUTH x", stranger))
    let subscriber = Facts(isSubscribed: true)
    #expect(!holds(pause(.all), "SET k v", subscriber))
    for line in ["PING", "UNSUBSCRIBE", "RESET"] { #expect(holds(pause(.all), line, subscriber), "\(line)") }
    #expect(!holds(pause(.all), "NOSUCH x", Facts(isInTransaction: true)))
  }
}
