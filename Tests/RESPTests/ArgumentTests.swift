internal import RESP
internal import TestSupport
internal import Testing

private let commands: [[String]] = [
  ["PING"], ["GET", "k"], ["SET", "", "\r\n$1\r\n"], ["MSET"] + (0..<1000).map { "\($0)" },
  ["SET", "k", String(repeating: "x", count: 70_000)],
]

@Suite("Arguments")
struct ArgumentTests {
  @Test("A cursor walks the arguments from the first to the last", arguments: commands)
  func cursor(command: [String]) {
    let encoded = RESPClient.encode(command)
    var cursor = ArgumentCursor(encoded.span)
    #expect(cursor.count == command.count)
    for (index, word) in command.enumerated() {
      #expect(cursor.index == index)
      let range = cursor.nextRange()
      #expect(range.map { Array(encoded[$0]) } == bytes(word))
    }
    let isAtEnd = cursor.next() == nil && cursor.nextRange() == nil
    #expect(isAtEnd && cursor.index == command.count)
  }

  @Test("An argument is found by its index, and none beyond the last", arguments: commands)
  func randomAccess(command: [String]) {
    let encoded = RESPClient.encode(command)
    var cursor = ArgumentCursor(encoded.span)
    _ = cursor.next()
    let list = ArgumentList(encoded.span)
    #expect(list.argumentCount == command.count)
    for index in Set([0, 1, command.count / 2, command.count - 1]) where index < command.count {
      // Wherever the cursor itself stands.
      #expect(cursor.argument(at: index)?.array == bytes(command[index]))
      #expect(list.argument(at: index).array == bytes(command[index]))
    }
    let isAbsent = cursor.argument(at: command.count) == nil && cursor.argument(at: command.count + 5) == nil
    #expect(isAbsent)
  }

  @Test("A whole command's class and keys are those of its words")
  func ofWholeCommands() {
    for line in [
      "GET k", "SORT k STORE d", "SORT k", "MSET a 1 b 2", "PING", "GETEX k", "XREAD BLOCK 0 STREAMS a b 1 2",
    ] {
      let words = line.split(separator: " ").map(String.init)
      let encoded = RESPClient.encode(words)
      let command = Words(line)
      let spec = command.spec
      #expect(spec.commandClass(ofCommand: encoded.span) == spec.commandClass(of: command), "\(line)")
      var keys: [String] = []
      spec.forEachKey(ofCommand: encoded.span) { keys.append(String(decoding: $0.array, as: UTF8.self)) }
      var expected: [String] = []
      spec.forEachKey(in: command) { expected.append(command.text(at: $0)) }
      #expect(keys == expected, "\(line)")
    }
  }
}
