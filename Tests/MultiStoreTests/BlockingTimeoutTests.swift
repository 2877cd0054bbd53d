internal import RESP
internal import Testing

@testable internal import MultiStore

@Suite("The timeout of a blocking command")
struct BlockingTimeoutTests {
  @Test(
    "is found wherever the command has it, in seconds or milliseconds",
    arguments: [
      ("BLPOP k 5", 5000), ("brpop k l 0.25", 250), ("BLMOVE k l LEFT LEFT 7", 7000), ("BLMPOP 1.5 1 k LEFT", 1500),
      ("BZMPOP 2 1 k MIN COUNT 9", 2000), ("XREAD COUNT 1 BLOCK 1500 STREAMS k 0", 1500),
      ("XREADGROUP GROUP BLOCK 1 BLOCK 20 STREAMS k >", 20), ("BLPOP k 0", nil), ("BLPOP k -1", nil),
      ("BLPOP k soon", nil), ("BLPOP k 1e300", nil), ("XREAD BLOCK 0 STREAMS k 0", nil),
      ("XREAD COUNT 1 STREAMS BLOCK 5", nil), ("LPOP k", nil),
    ] as [(String, Int?)]
  )
  func duration(_ line: String, _ milliseconds: Int?) {
    let words = line.split(separator: " ").map(String.init)
    let command = CommandWriter.command(words)
    let spec = CommandTable.spec(CommandTable.lookup(Array(words[0].utf8).span))
    let duration = BlockingTimeout(command.span, spec)?.duration(in: command.span)
    #expect(duration == milliseconds.map { Duration.milliseconds($0) })
  }
}
