import RESP
import Testing

@testable import MultiStore

@Suite struct CommandBatchTests {
  private func batch(of names: String...) -> CommandBatch {
    let batch = CommandBatch()
    for name in names { batch.append(arguments: [Array(name.utf8), Array("key".utf8)]) }
    return batch
  }

  @Test func `commands that were appended lie one behind the other`() {
    let batch = batch(of: "GET", "DEL", "TYPE")
    #expect(batch.endOfRun(from: 0) == 3)
    #expect(batch.endOfRun(from: 2) == 3)
    #expect(batch.endOfRun(from: 0) { $0 != 2 } == 2)
    #expect(batch.endOfRun(from: 1) { _ in false } == 2)
  }

  @Test func `a command that was replaced is a run of its own`() {
    let batch = batch(of: "GET", "DEL", "TYPE", "INCR")
    var other = ByteBuffer()
    other.appendCommand(expecting: 2) { command in
      command.append("UNLINK")
      command.append("key")
    }
    batch.replace(1, with: &other)
    #expect(batch.endOfRun(from: 0) == 1)
    #expect(batch.endOfRun(from: 1) == 2)
    #expect(batch.endOfRun(from: 2) == 4)
    batch.removeAll()
    batch.append(arguments: [Array("GET".utf8), Array("key".utf8)])
    batch.append(arguments: [Array("GET".utf8), Array("key".utf8)])
    #expect(batch.endOfRun(from: 0) == 2, "a batch that is used again has nothing of the last one")
  }

  @Test func `the class of a command is decided by its options where they count`() {
    let batch = CommandBatch()
    batch.append(arguments: [Array("SORT".utf8), Array("key".utf8)])
    batch.append(arguments: ["SORT", "key", "STORE", "other"].map { Array($0.utf8) })
    batch.append(arguments: [Array("SET".utf8), Array("key".utf8), Array("1".utf8)])
    #expect([0, 1, 2].map { batch.commandClass($0) } == [.read, .write, .write])
  }
}
