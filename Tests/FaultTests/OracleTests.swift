import TestSupport
import Testing

@testable import FaultLaboratory

@Suite("The oracle of acknowledged writes")
struct OracleTests {
  private static func isRight(_ conversation: [([String], RESPReply?)]) -> Bool {
    var oracle = Oracle()
    var problems = 0
    for (command, reply) in conversation {
      guard let reply else {
        oracle.noteUnanswered(command)
        continue
      }
      if oracle.judge(command, reply) != nil { problems += 1 }
    }
    return problems == 0
  }

  @Test func `a read has to give what was acknowledged last`() {
    let set: ([String], RESPReply?) = (["SET", "k", "1"], .ok)
    #expect(Self.isRight([set, (["GET", "k"], .text("1"))]))
    #expect(!Self.isRight([set, (["GET", "k"], .null)]))
    #expect(!Self.isRight([set, (["SET", "k", "2"], .ok), (["GET", "k"], .text("1"))]))
    #expect(!Self.isRight([(["GET", "k"], .text("1"))]))
  }

  @Test(arguments: [RESPReply.text("1"), .text("2")])
  func `a write without an answer may have been executed, until the next one is acknowledged`(read: RESPReply) {
    let uncertain: [([String], RESPReply?)] = [(["SET", "k", "1"], .ok), (["SET", "k", "2"], nil)]
    #expect(Self.isRight(uncertain + [(["GET", "k"], read)]))
    #expect(!Self.isRight(uncertain + [(["SET", "k", "3"], .ok), (["GET", "k"], read)]))
  }

  @Test(arguments: [(1, false), (2, true), (3, true), (4, false)])
  func `a counter is as high as its increments`(reply: Int, isRight: Bool) {
    let increments: [([String], RESPReply?)] = [(["INCR", "n"], .integer(1)), (["INCR", "n"], nil)]
    #expect(Self.isRight(increments + [(["INCR", "n"], .integer(reply))]) == isRight)
    #expect(Self.isRight(increments + [(["GET", "n"], .text("\(reply - 1)"))]) == isRight)
  }

  @Test func `the length of a list tells whether an element without an answer is there`() {
    let pushes: [([String], RESPReply?)] = [(["RPUSH", "l", "a"], .integer(1)), (["RPUSH", "l", "b"], nil)]
    let read = { (words: [String]) -> ([String], RESPReply?) in
      (["LRANGE", "l", "0", "-1"], .array(words.map { .text($0) }))
    }
    #expect(Self.isRight(pushes + [read(["a"]), read(["a", "b"])]))
    #expect(!Self.isRight(pushes + [read(["b"])]))
    #expect(!Self.isRight(pushes + [read(["a", "b", "c"])]))
    let without = pushes + [(["RPUSH", "l", "c"], .integer(2))]
    #expect(Self.isRight(without + [read(["a", "c"])]))
    #expect(!Self.isRight(without + [read(["a", "b", "c"])]))
    let with = pushes + [(["RPUSH", "l", "c"], .integer(3))]
    #expect(Self.isRight(with + [read(["a", "b", "c"])]))
    #expect(!Self.isRight(with + [read(["a", "c"])]))
    #expect(Self.isRight(with + [(["DEL", "l"], .integer(1)), read([])]))
    #expect(!Self.isRight(pushes + [(["RPUSH", "l", "c"], .integer(1))]))
  }

  @Test func `each field of a hash is judged for itself`() {
    let writes: [([String], RESPReply?)] = [
      (["HSET", "h", "a", "1"], .integer(1)), (["HSET", "h", "b", "1"], .integer(1)), (["HSET", "h", "b", "2"], nil),
    ]
    let read = { (words: [String]) -> ([String], RESPReply?) in (["HGETALL", "h"], .array(words.map { .text($0) })) }
    #expect(Self.isRight(writes + [read(["a", "1", "b", "1"]), read(["b", "2", "a", "1"])]))
    #expect(!Self.isRight(writes + [read(["a", "1"])]))
    #expect(!Self.isRight(writes + [read(["a", "2", "b", "1"])]))
    #expect(!Self.isRight(writes + [read(["a", "1", "b", "1", "c", "1"])]))
    #expect(!Self.isRight(writes + [(["HSET", "h", "a", "2"], .integer(1))]))
  }

  @Test func `after a deletion without an answer nothing is known until the key is replaced`() {
    let deleted: [([String], RESPReply?)] = [(["RPUSH", "l", "a"], .integer(1)), (["DEL", "l"], nil)]
    #expect(Self.isRight(deleted + [(["RPUSH", "l", "b"], .integer(2)), (["RPUSH", "l", "b"], .integer(1))]))
    let pushed = deleted + [(["RPUSH", "l", "b"], nil)]
    #expect(Self.isRight(pushed + [(["LRANGE", "l", "0", "-1"], .array([.text("a")]))]))
    let emptied = deleted + [(["DEL", "l"], .integer(0))]
    #expect(!Self.isRight(emptied + [(["RPUSH", "l", "b"], .integer(2))]))
  }
}
