internal import RESP
internal import Testing

private let values: [RESPValue] = [
  .status("OK"), .status(""), .error("ERR no"), .error(""), .integer(0), .integer(.max), .integer(.min),
  .string([]), .string([13, 10]), .string(Array(0...255)), .null, .array([]), .array([.null, .null]),
  .array([.status("")]), .array([.integer(1), .array([.string([1]), .array([])]), .error("WRONGTYPE x")]),
]

@Suite("RESP values")
struct RESPValueTests {
  private func encode(_ value: RESPValue) -> [UInt8] {
    var buffer = ByteBuffer()
    buffer.append(value)
    return buffer.bytes
  }

  @Test("What was encoded is decoded, wherever it stands", arguments: values)
  func roundTrip(value: RESPValue) {
    let encoded = encode(value)
    let input = bytes("+before\r\n") + encoded + bytes("+after\r\n")
    var position = 9
    #expect(RESPValue.decode(input.span, at: &position) == value)
    #expect(position == 9 + encoded.count)
    #expect(RESPValue.decode(input.span, at: &position) == .status("after"))
    #expect(position == input.count)
    #expect(RESPValue.decode(input.span, at: &position) == nil)
    position = 0
    #expect(RESPValue.decode(encoded.span, at: &position) == value, "nothing has to follow")
  }

  @Test("Nothing is decoded from a reply that is cut off", arguments: values)
  func truncated(value: RESPValue) {
    let encoded = encode(value)
    for count in 0..<encoded.count {
      var position = 0
      #expect(RESPValue.decode(Array(encoded[..<count]).span, at: &position) == nil, "\(count) bytes of \(value)")
    }
  }

  @Test("Both nulls are null")
  func nulls() {
    for text in ["$-1\r\n", "*-1\r\n"] {
      var position = 0
      #expect(RESPValue.decode(bytes(text).span, at: &position) == .null)
    }
  }

  @Test(
    "Hostile input gives nothing, and takes no memory for what it promises",
    arguments: [
      "", "\r\n", "?\r\n", "OK\r\n", "+OK", "+OK\n", ":\r\n", ":x\r\n", ":9223372036854775808\r\n", "$\r\n", "$x\r\n",
      "$9223372036854775807\r\n\r\n", "$9223372036854775808\r\n", "*9223372036854775807\r\n", "*1000000000\r\n+\r\n",
      "*1\r\n", "*2\r\n:1\r\n", "*1\r\n*9223372036854775807\r\n", "*1\r\n$-1", "%1\r\n+a\r\n+b\r\n", "_\r\n",
    ]
  )
  func hostile(text: String) {
    var position = 0
    #expect(RESPValue.decode(bytes(text).span, at: &position) == nil)
  }

  @Test("Arrays may be nested as deep as the limit")
  func depth() {
    for (depth, isDecoded) in [(RESPValue.maxDepth, true), (RESPValue.maxDepth + 1, false), (100_000, false)] {
      let input = bytes(String(repeating: "*1\r\n", count: depth) + ":1\r\n")
      var position = 0
      #expect((RESPValue.decode(input.span, at: &position) != nil) == isDecoded, "\(depth)")
    }
  }

  @Test("Random bytes never crash it, and what is decoded can be encoded", arguments: 0..<4)
  func random(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let alphabet = bytes("+-:$*\r\n\r\n\r\n0123a")
    var decoded = 0
    for _ in 0..<20_000 {
      let input = (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      var position = 0
      guard let value = RESPValue.decode(input.span, at: &position) else { continue }
      decoded += 1
      #expect(position <= input.count)
      var again = 0
      if case .error = value { continue }  // Line breaks in an error are replaced when it is written.
      #expect(RESPValue.decode(encode(value).span, at: &again) == value)
    }
    #expect(decoded > 100)
  }

  @Test("Text is that of strings and statuses, if it is UTF-8")
  func text() {
    #expect(RESPValue.status("OK").text == "OK")
    #expect(RESPValue.string(bytes("é")).text == "é")
    #expect(RESPValue.string([0xff]).text == nil)
    #expect(RESPValue.integer(1).text == nil && RESPValue.error("x").text == nil && RESPValue.null.text == nil)
  }
}

@Suite("Spans of bytes")
struct ByteSpanTests {
  @Test("Keywords match in any case and only as a whole")
  func keywords() {
    let matches = ["EX", "ex", "eX"].map { bytes($0).span.isKeyword("EX") }
    #expect(matches == [true, true, true])
    let others = ["", "E", "EXA", "PX", "\u{5}X", "{X"].map { bytes($0).span.isKeyword("EX") }
    #expect(!others.contains(true))
    // `{` is `[` plus the bit between upper and lower case.
    let bracket = bytes("{").span.isKeyword("[")
    #expect(!bracket)
  }

  @Test("Bytes are compared as they are")
  func sameBytes() {
    let one = bytes("abc")
    let results = ["abc", "abd", "ab", "abcd", "ABC"].map { one.span.hasSameBytes(as: bytes($0).span) }
    #expect(results == [true, false, false, false, false])
    let literals = [
      one.span.hasSameBytes(as: "abc"), one.span.hasSameBytes(as: "abcd"), one.span.hasSameBytes(as: "ab"),
    ]
    #expect(literals == [true, false, false])
  }

  @Test("Decimals are numbers as far as an Int goes")
  func decimals() {
    let numbers = ["0", "42", "-7", "9223372036854775807", "-9223372036854775808"].map { bytes($0).span.decimal }
    #expect(numbers == [0, 42, -7, Int.max, Int.min])
    let none = ["", "-", "1.5", "1e3", " 1", "9223372036854775808", "100000000000000000000000", "x"]
    #expect(none.map { bytes($0).span.decimal } == Array(repeating: nil, count: none.count))
  }
}
