/// The comment lines before a metric's samples, rendered once for all pages. The formats differ: OpenMetrics names a
/// counter's family without `_total`, escapes quotes in help texts, and writes the type first.
struct FamilyHeading {
  private let text: [UInt8]
  private let openMetrics: [UInt8]

  init(_ descriptor: MetricDescriptor) {
    text = Self.help(descriptor.name, descriptor.help, quotes: false) + Self.type(descriptor.name, descriptor.kind)
    openMetrics =
      Self.type(descriptor.familyName, descriptor.kind)
      + Self.help(descriptor.familyName, descriptor.help, quotes: true)
  }

  /// Returns the lines in a format.
  func bytes(_ format: ExpositionFormat) -> [UInt8] {
    switch format {
    case .text004: text
    case .openMetrics100: openMetrics
    }
  }

  private static func help(_ name: String, _ help: String, quotes: Bool) -> [UInt8] {
    var bytes = Array("# HELP \(name) ".utf8)
    bytes.append(escaping: help, quotes: quotes)
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  private static func type(_ name: String, _ kind: MetricDescriptor.Kind) -> [UInt8] {
    Array("# TYPE \(name) \(kind.typeName)\n".utf8)
  }
}
