internal import RESP
internal import Testing

@Suite("Command writer")
struct CommandWriterTests {
  @Test("It writes an argument in all the ways that there are")
  func arguments() {
    var buffer = ByteBuffer()
    let key = bytes("k\r\n")
    buffer.appendCommand(expecting: 5) { command in
      command.append("SET")
      command.append(key.span)
      command.append(text: "é")
      command.append(decimal: Int.min)
      command.append("")
    }
    let expected = "*5\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$2\r\né\r\n$20\r\n-9223372036854775808\r\n$0\r\n\r\n"
    #expect(String(decoding: buffer.bytes, as: UTF8.self) == expected)
  }

  @Test(
    "The header says how many arguments were written, whatever was expected",
    arguments: [1, 2, 9, 10, 11, 99, 100, 12_345],
    [0, 1, 9, 10, 99, 100, 1_000_000]
  )
  func count(written: Int, expected: Int) {
    var buffer = ByteBuffer()
    // The command goes behind what is in the buffer already, part of which has been consumed.
    buffer.append("consumed")
    buffer.append("+OK\r\n")
    buffer.removeFirst(8)
    buffer.appendCommand(expecting: expected) { command in
      for index in 0..<written { command.append(decimal: index) }
    }
    let words = (0..<written).map(String.init)
    let commands = words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    #expect(String(decoding: buffer.bytes, as: UTF8.self) == "+OK\r\n*\(written)\r\n" + commands)
  }

  @Test("Commands follow each other in one buffer, and the parser finds them")
  func parsed() {
    var buffer = ByteBuffer()
    buffer.appendCommand(expecting: 1) { $0.append("PING") }
    buffer.appendCommand(expecting: 1) { command in
      command.append("ECHO")
      command.append(text: "hello")
    }
    var driver = ParserDriver()
    driver.feed(buffer.bytes)
    #expect(driver.found == [.words("PING"), .words("ECHO", "hello")])
    #expect(driver.rest.isEmpty)
  }

  @Test("What its closure returns is passed on")
  func result() {
    var buffer = ByteBuffer()
    let result = buffer.appendCommand(expecting: 2) { command -> String in
      command.append("PING")
      return "done"
    }
    #expect(result == "done")
    #expect(buffer.bytes == bytes("*1\r\n$4\r\nPING\r\n"))
  }

  @Test("Constant commands are written from their words")
  func constants() {
    #expect(CommandWriter.command("PING") == bytes("*1\r\n$4\r\nPING\r\n"))
    #expect(CommandWriter.command(["INFO", "server"]) == bytes("*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n"))
  }

  @Test("Once the buffer has the memory, a command allocates none")
  func memory() {
    var buffer = ByteBuffer(minimumCapacity: 1024)
    let capacity = buffer.capacity
    for expected in [1, 3, 10] {
      buffer.removeAll()
      buffer.appendCommand(expecting: expected) { command in
        command.append("EXPIRE")
        command.append("key")
        command.append(decimal: 3600)
      }
      #expect(buffer.capacity == capacity)
    }
  }
}
