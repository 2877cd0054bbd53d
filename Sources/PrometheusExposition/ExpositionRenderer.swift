// Renders families as bytes, in both formats.

/// Renders one page.
struct ExpositionRenderer {
  /// The approximate size of a page of one instance, in bytes.
  private static let expectedBytes = 64 << 10

  private var bytes: [UInt8] = []
  private let format: ExpositionFormat

  private init(format: ExpositionFormat) {
    self.format = format
  }

  /// Returns the page: families by name, series by their label values. A family without series is omitted.
  static func render(_ table: FamilyTable, format: ExpositionFormat) -> [UInt8] {
    var renderer = ExpositionRenderer(format: format)
    renderer.bytes.reserveCapacity(expectedBytes)
    for name in table.names {
      if let family = table.families[name], !family.series.isEmpty { renderer.append(family) }
    }
    if format == .openMetrics100 { renderer.append("# EOF\n") }
    return renderer.bytes
  }

  private mutating func append(_ family: Family) {
    bytes += family.heading.bytes(format)
    let name = family.descriptor.name
    for element in family.series.inOrder { append(element.series, of: name) }
  }

  private mutating func append(_ series: Series, of name: String) {
    switch series.value {
    case .counter(let counter):
      appendName(name, series.renderedLabels)
      if let count = counter.exactValue {
        bytes.append(decimal: count)
      } else {
        append(NumberFormat.sample(counter.value, format))
      }
      endSample()
    case .gauge(let gauge):
      appendSample(name, series.renderedLabels, gauge.value)
    case .computed(let value):
      appendSample(name, series.renderedLabels, value)
    case .histogram(let histogram):
      append(histogram, labels: series.renderedLabels, of: name)
    }
  }

  private mutating func append(_ histogram: Histogram, labels: [UInt8], of name: String) {
    let reading = histogram.reading
    let (bucket, separator) = (name + "_bucket{", UInt8(ascii: ","))
    var count: UInt64 = 0
    for (index, cell) in reading.counts.enumerated() {
      count &+= cell
      append(bucket)
      bytes += labels
      if !labels.isEmpty { bytes.append(separator) }
      bytes += histogram.renderedBounds[index]
      bytes.append(decimal: count)
      endSample()
    }
    appendSample(name + "_sum", labels, reading.sum)
    appendName(name + "_count", labels)
    bytes.append(decimal: count)
    endSample()
  }

  private mutating func appendSample(_ name: String, _ labels: [UInt8], _ value: Double) {
    appendName(name, labels)
    append(NumberFormat.sample(value, format))
    endSample()
  }

  /// Appends the part of a sample before its value.
  private mutating func appendName(_ name: String, _ labels: [UInt8]) {
    append(name)
    if !labels.isEmpty {
      bytes.append(UInt8(ascii: "{"))
      bytes += labels
      bytes.append(UInt8(ascii: "}"))
    }
    bytes.append(UInt8(ascii: " "))
  }

  private mutating func endSample() {
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func append(_ text: String) {
    bytes += text.utf8
  }
}
