/// The samples of one scrape, in Prometheus' text format.
public struct MetricsSnapshot: Sendable, CustomStringConvertible {
  /// The text as it came.
  public let text: String
  /// Values by name and labels, as in `up{instance="a"}`: labels sorted by name, values escaped as they came.
  public let samples: [String: Double]

  /// Reads the text format 0.0.4 or OpenMetrics.
  ///
  /// - Throws: ``TestSupportError`` with code `malformed`, with the line; also for a sample that is there twice.
  public init(parsing text: String) throws {
    self.text = text
    var samples: [String: Double] = [:]
    // Bytes, because finding where characters end takes most of the time that reading a page does.
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
      let line = Substring(line)
      let (key, value) = try Self.parse(line)
      guard samples.updateValue(value, forKey: key) == nil else {
        throw TestSupportError(.malformed, "a sample that is there twice: \(line)")
      }
    }
    self.samples = samples
  }

  /// A sample by its name and labels in any order; nil if there is none.
  public subscript(name: String, labels: [String: String]) -> Double? {
    samples[Self.key(String(name), labels.map { ($0.key, Self.escaped($0.value)) })]
  }

  /// A sample without labels; nil if there is none.
  public subscript(name: String) -> Double? { samples[name] }

  /// The sum of a family's samples that have at least these labels; 0 if there are none.
  public func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
    let wanted = labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
    return samples.reduce(0) { sum, sample in
      guard sample.key == name || sample.key.hasPrefix("\(name){") else { return sum }
      let found = wanted.allSatisfy { sample.key.contains("{\($0)") || sample.key.contains(",\($0)") }
      return found ? sum + sample.value : sum
    }
  }

  /// The text as it came.
  public var description: String { text }

  private static func parse(_ line: Substring) throws -> (String, Double) {
    var malformed: TestSupportError { TestSupportError(.malformed, "not a sample: \(line)") }
    let nameEnd = line.utf8.firstIndex { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: " ") } ?? line.endIndex
    var rest = line[nameEnd...]
    var labels: [(String, String)] = []
    if rest.first == "{" {
      rest.removeFirst()
      while let first = rest.first, first != "}" {
        guard let equals = rest.utf8.firstIndex(of: UInt8(ascii: "=")) else { throw malformed }
        let name = String(rest[..<equals])
        rest = rest[equals...].dropFirst()
        guard rest.popFirst() == "\"", let end = closingQuote(of: rest) else { throw malformed }
        labels.append((name, String(rest[..<end])))
        rest = rest[end...].dropFirst()
        if rest.first == "," { rest.removeFirst() }
      }
      guard rest.popFirst() == "}" else { throw malformed }
    }
    // A timestamp or an exemplar may follow the value.
    guard rest.popFirst() == " ", let word = rest.split(separator: " ").first, let value = number(word) else {
      throw malformed
    }
    return (key(String(line[..<nameEnd]), labels), value)
  }

  private static func number(_ word: Substring) -> Double? {
    switch word {
    case "+Inf": .infinity
    case "-Inf": -.infinity
    case "NaN": .nan
    default: Double(word)
    }
  }

  private static func closingQuote(of text: Substring) -> Substring.Index? {
    var isEscaped = false
    return text.utf8.firstIndex { byte in
      defer { isEscaped = !isEscaped && byte == UInt8(ascii: "\\") }
      return !isEscaped && byte == UInt8(ascii: "\"")
    }
  }

  private static func key(_ name: String, _ labels: [(String, String)]) -> String {
    if labels.isEmpty { return name }
    let text = labels.sorted { $0.0 < $1.0 }.map { "\($0.0)=\"\($0.1)\"" }
    return "\(name){\(text.joined(separator: ","))}"
  }

  private static func escaped(_ value: String) -> String {
    value.map { character in
      switch character {
      case "\\": "\\\\"
      case "\"": "\\\""
      case "\n": "\\n"
      default: String(character)
      }
    }.joined()
  }
}
