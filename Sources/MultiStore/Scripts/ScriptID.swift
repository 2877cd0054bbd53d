internal import RESP

/// The SHA-1 of a script's text, by which servers know it (FIPS 180-4; no protection against anybody).
struct ScriptID: Hashable {
  private var first: UInt64 = 0
  private var second: UInt64 = 0
  private var third: UInt32 = 0

  /// The identity of the script with this text.
  init(ofText text: Span<UInt8>) {
    var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
    var schedule = [UInt32](repeating: 0, count: 80)
    let padded = Self.padded(text)
    for block in stride(from: 0, to: padded.count, by: 64) {
      for index in 0..<16 {
        let bytes = padded[block + 4 * index..<block + 4 * index + 4]
        schedule[index] = bytes.reduce(0) { $0 << 8 | UInt32($1) }
      }
      for index in 16..<80 {
        let word = schedule[index - 3] ^ schedule[index - 8] ^ schedule[index - 14] ^ schedule[index - 16]
        schedule[index] = Self.rotated(word, 1)
      }
      Self.mix(schedule, into: &state)
    }
    set(state)
  }

  /// Reads 40 hexadecimal digits, in upper or lower case; nil for anything else.
  init?(hexadecimal digits: Span<UInt8>) {
    guard digits.count == 40 else { return nil }
    var state = [UInt32](repeating: 0, count: 5)
    for index in digits.indices {
      guard let digit = Character(UnicodeScalar(digits[index])).hexDigitValue, digits[index] < 0x80 else { return nil }
      state[index / 8] = state[index / 8] << 4 | UInt32(digit)
    }
    set(state)
  }

  private mutating func set(_ state: [UInt32]) {
    first = UInt64(state[0]) << 32 | UInt64(state[1])
    second = UInt64(state[2]) << 32 | UInt64(state[3])
    third = state[4]
  }

  /// The text with a one bit, zeros, and its length in bits.
  private static func padded(_ text: Span<UInt8>) -> [UInt8] {
    var padded = text.array
    padded.append(0x80)
    while padded.count % 64 != 56 { padded.append(0) }
    let bitCount = text.count * 8
    for shift in stride(from: 56, through: 0, by: -8) { padded.append(UInt8(truncatingIfNeeded: bitCount >> shift)) }
    return padded
  }

  private static func mix(_ schedule: [UInt32], into state: inout [UInt32]) {
    var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
    for index in 0..<80 {
      let (choice, constant): (UInt32, UInt32) =
        switch index {
        case ..<20: (b & c | ~b & d, 0x5a82_7999)
        case ..<40: (b ^ c ^ d, 0x6ed9_eba1)
        case ..<60: (b & c | b & d | c & d, 0x8f1b_bcdc)
        default: (b ^ c ^ d, 0xca62_c1d6)
        }
      let next = rotated(a, 5) &+ choice &+ e &+ constant &+ schedule[index]
      (a, b, c, d, e) = (next, a, rotated(b, 30), c, d)
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
  }

  private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}
