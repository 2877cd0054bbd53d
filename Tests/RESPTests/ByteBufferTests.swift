internal import RESP
internal import Testing

@Suite("Byte buffer")
struct ByteBufferTests {
  @Test("It gives back what was appended, in all the ways to append")
  func append() {
    var buffer = ByteBuffer()
    #expect(buffer.isEmpty && buffer.bytes.isEmpty && buffer.capacity == 0)
    buffer.append(UInt8(ascii: "a"))
    buffer.append(bytes("bc").span)
    buffer.append(bytes("de").span)
    buffer.append("fg")
    buffer.append(utf8Of: "hé")
    buffer.append(upTo: 100) { room in
      room.append(UInt8(ascii: "i"))
      room.append(UInt8(ascii: "j"))
    }
    buffer.append(upTo: 100) { _ in }
    let isSame = buffer.span.array == bytes("abcdefghéij")
    #expect(isSame && buffer.bytes == bytes("abcdefghéij") && buffer.count == 12)
    let length = buffer.withSpan { $0.count }
    #expect(length == 12)
  }

  @Test(
    "Numbers are written as decimals",
    arguments: [0, 7, 9, 10, 99, 100, 1234567890, -1, -9, -10, Int(Int32.min), Int.max, Int.min, Int.min + 1]
  )
  func decimal(number: Int) {
    var buffer = ByteBuffer()
    buffer.append("x")
    buffer.append(decimal: number)
    #expect(buffer.bytes == bytes("x\(number)"))
  }

  @Test("A value is found to be the encoded one exactly if it is encoded to the same bytes")
  func encodedValues() {
    let texts = ["", "O", "OK", "KO", "1", "12", "-1", "1234567", "12345678", "123456789", "1234567890"]
    let long = [9, 10, 11, 99, 100, 101].map { String(repeating: "v", count: $0) }
    let numbers = [0, 1, 9, 10, 11, 12, 99, 100, -1, -12, Int.max, Int.min]
    for encoded in texts + long {
      var line = ByteBuffer()
      var bulk = ByteBuffer()
      line.appendLine(UInt8(ascii: "+"), bytes(encoded).span)
      bulk.appendBulk(bytes(encoded).span)
      #expect(line.bytes == bytes("+\(encoded)\r\n"))
      #expect(bulk.bytes == bytes("$\(encoded.utf8.count)\r\n\(encoded)\r\n"))
      for text in texts + long {
        let value = bytes(text)
        let isLine = line.withSpan { $0.isLine(UInt8(ascii: "+"), value.span) }
        let isBulk = bulk.withSpan { $0.isBulk(value.span) }
        let isOther = line.withSpan { $0.isBulk(value.span) || $0.isLine(UInt8(ascii: "-"), value.span) }
        #expect(isLine == (text == encoded) && isBulk == (text == encoded) && !isOther, "\(text), \(encoded)")
      }
    }
    for encoded in numbers {
      var line = ByteBuffer()
      line.appendInteger(encoded)
      #expect(line.bytes == bytes(":\(encoded)\r\n"))
      for number in numbers {
        let isLine = line.withSpan { $0.isLine(UInt8(ascii: ":"), number) }
        #expect(isLine == (number == encoded), "\(number), \(encoded)")
      }
    }
    #expect(!Span<UInt8>().isBulk(Span()) && !Span<UInt8>().isLine(UInt8(ascii: "+"), Span()))
  }

  @Test("It is a queue: a model with a plain array says the same", arguments: 0..<4)
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var buffer = ByteBuffer(minimumCapacity: 16)
    var model: [UInt8] = []
    for _ in 0..<3000 {
      switch Int.random(in: 0..<8, using: &random) {
      case 0...3:
        let piece = (0..<Int.random(in: 0...20, using: &random)).map { UInt8($0) }
        buffer.append(piece.span)
        model += piece
      case 4, 5:
        let count = Int.random(in: 0...model.count, using: &random)
        buffer.removeFirst(count)
        model.removeFirst(count)
      case 6:
        let count = Int.random(in: 0...model.count, using: &random)
        buffer.truncate(to: count)
        model.removeLast(model.count - count)
      default:
        if Int.random(in: 0..<20, using: &random) == 0 {
          buffer.removeAll()
          model = []
        }
      }
      #expect(buffer.bytes == model && buffer.count == model.count && buffer.isEmpty == model.isEmpty)
    }
  }

  @Test("Memory is kept for reuse up to a limit")
  func capacity() {
    var buffer = ByteBuffer(minimumCapacity: 100)
    #expect(buffer.capacity >= 100)
    buffer.append(Array(repeating: 1, count: 100_000).span)
    let capacity = buffer.capacity
    buffer.removeFirst(100_000)
    #expect(buffer.isEmpty && buffer.capacity == capacity)
    buffer.removeAll(keepingCapacityUpTo: capacity)
    #expect(buffer.capacity == capacity)
    buffer.removeAll(keepingCapacityUpTo: capacity - 1)
    #expect(buffer.capacity == 0)
  }

  @Test("A queue that is never empty does not grow: the room of consumed bytes is used again")
  func reuse() {
    var buffer = ByteBuffer()
    let piece = [UInt8](repeating: 1, count: 100)
    for _ in 0..<10 { buffer.append(piece.span) }
    for _ in 0..<10_000 {
      buffer.append(piece.span)
      buffer.removeFirst(100)
    }
    #expect(buffer.count == 1000 && buffer.capacity <= 4096, "\(buffer.capacity)")
  }

  @Test("More than is there can't be consumed")
  func overconsumption() async {
    await #expect(processExitsWith: .failure) {
      var buffer = ByteBuffer()
      buffer.append(1)
      buffer.removeFirst(2)
    }
    await #expect(processExitsWith: .failure) {
      var buffer = ByteBuffer()
      buffer.append(1)
      buffer.truncate(to: 2)
    }
  }

  @Test("The first bytes are taken out with their memory")
  func detaching() {
    var buffer = ByteBuffer(minimumCapacity: 1000)
    buffer.append("abcdefgh")
    buffer.removeFirst(2)
    let capacity = buffer.capacity
    let first = buffer.detachFirst(4)
    #expect(first.bytes == bytes("cdef") && first.capacity == capacity)
    #expect(buffer.bytes == bytes("gh") && buffer.capacity < capacity)
    buffer.append("i")
    let rest = buffer.detachFirst(3)
    #expect(rest.bytes == bytes("ghi") && buffer.isEmpty && first.bytes == bytes("cdef"))
  }

  @Test("Replies are written as RESP2")
  func replies() {
    var buffer = ByteBuffer()
    buffer.appendStatus("OK")
    buffer.appendError("ERR two\r\nlines")
    buffer.appendInteger(-42)
    buffer.appendBulk(bytes("a\r\nb").span)
    buffer.appendBulk("é")
    buffer.appendBulk(decimal: Int.min)
    buffer.appendNull()
    buffer.appendNullArray()
    buffer.appendArrayHeader(2)
    let expected =
      "+OK\r\n-ERR two  lines\r\n:-42\r\n$4\r\na\r\nb\r\n$2\r\né\r\n$20\r\n-9223372036854775808\r\n$-1\r\n*-1\r\n*2\r\n"
    #expect(String(decoding: buffer.bytes, as: UTF8.self) == expected)
  }
}
