/// The labels of one time series, in the order in which they are written.
struct LabelSet: Hashable, Comparable {
  var names: [String]
  var values: [String]

  init(names: [String], values: [String]) {
    self.names = names
    self.values = values
  }

  init(_ labels: [(String, String)]) {
    self.init(names: labels.map(\.0), values: labels.map(\.1))
  }

  /// Returns the labels in another order of names; nil if the names are not the same.
  func ordered(as order: [String]) -> LabelSet? {
    guard names.count == order.count else { return nil }
    if names == order { return self }
    var reordered: [String] = []
    for name in order {
      guard let index = names.firstIndex(of: name) else { return nil }
      reordered.append(values[index])
    }
    return LabelSet(names: order, values: reordered)
  }

  /// The same names with `other` for every value: the series that gathers those beyond the limit.
  var gathered: LabelSet {
    LabelSet(names: names, values: names.map { _ in "other" })
  }

  /// The labels of both formats, escaped and without braces: `a="1",b="2"`.
  var rendered: [UInt8] {
    var bytes: [UInt8] = []
    for (name, value) in zip(names, values) {
      if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
      bytes += name.utf8
      bytes += [UInt8(ascii: "="), UInt8(ascii: "\"")]
      bytes.append(escaping: value, quotes: true)
      bytes.append(UInt8(ascii: "\""))
    }
    return bytes
  }

  static func < (left: LabelSet, right: LabelSet) -> Bool {
    for (one, other) in zip(left.values, right.values) where one != other {
      return one < other
    }
    if left.values.count != right.values.count { return left.values.count < right.values.count }
    return left.names.lexicographicallyPrecedes(right.names)
  }
}

extension [UInt8] {
  /// Appends text with `\` and line feeds escaped, and with `"` escaped if `quotes` is true.
  mutating func append(escaping text: String, quotes: Bool) {
    // Hardly any text needs escaping.
    guard text.utf8.contains(where: Self.isEscaped) else { return self += text.utf8 }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): self += [byte, byte]
      case UInt8(ascii: "\n"): self += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
      case UInt8(ascii: "\"") where quotes: self += [UInt8(ascii: "\\"), byte]
      default: append(byte)
      }
    }
  }

  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\"")
  }

  /// Appends the digits of `number`.
  mutating func append(decimal number: UInt64) {
    // From the last digit to the first; 20 are the most there can be.
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var first = digits.count
    var rest = number
    repeat {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(digit)
      rest = quotient
    } while rest > 0
    for index in first..<digits.count { append(digits[index]) }
  }
}
