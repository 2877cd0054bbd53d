/// Reads values from a record, from its beginning.
struct JournalReader {
  /// The bytes that were not taken yet.
  private(set) var rest: ArraySlice<UInt8>

  init(rest: ArraySlice<UInt8>) {
    self.rest = rest
  }

  /// The next byte; nil at the end.
  mutating func byte() -> UInt8? { rest.popFirst() }

  /// A number, its lowest byte first; nil if too few bytes are left.
  mutating func integer<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
    let size = Number.bitWidth / 8
    guard rest.count >= size else { return nil }
    defer { rest.removeFirst(size) }
    return rest.prefix(size).reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
  }

  /// A word after its length; nil if too few bytes are left.
  mutating func word() -> String? {
    guard let size = byte(), rest.count >= size else { return nil }
    defer { rest.removeFirst(Int(size)) }
    return String(decoding: rest.prefix(Int(size)), as: UTF8.self)
  }

  /// All bytes that are left.
  mutating func all() -> [UInt8] {
    defer { rest = [] }
    return Array(rest)
  }
}

extension [UInt8] {
  /// Appends a number, its lowest byte first.
  mutating func append(littleEndian number: some FixedWidthInteger) {
    for shift in stride(from: 0, to: number.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  /// Appends the length of a word and its first 255 bytes.
  mutating func append(word: String) {
    let word = word.utf8.prefix(255)
    append(UInt8(word.count))
    self += word
  }
}

/// The checksum of zlib and Ethernet: CRC-32, reflected, with the polynomial 0xEDB88320.
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
  }

  static func checksum(of bytes: ArraySlice<UInt8>) -> UInt32 {
    let table = table
    return ~bytes.reduce(~0) { sum, byte in table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
  }
}
