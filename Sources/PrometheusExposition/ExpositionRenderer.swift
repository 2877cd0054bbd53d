// Families to bytes, in both formats. What differs: OpenMetrics names a counter's family without `_total`, escapes
// quotes in help texts, writes the type first and ends with `# EOF`.

/// Renders one page.
struct ExpositionRenderer {
  private var bytes: [UInt8] = []
  private let format: ExpositionFormat

  private init(format: ExpositionFormat) {
    self.format = format
  }

  /// The page: families sorted by name, series by their label values. A family without series is left out.
  static func render(_ families: some Collection<Family>, format: ExpositionFormat) -> [UInt8] {
    var renderer = ExpositionRenderer(format: format)
    for family in families.filter({ !$0.series.isEmpty }).sorted(by: { $0.descriptor.name < $1.descriptor.name }) {
      renderer.append(family)
    }
    if format == .openMetrics100 { renderer.append("# EOF\n") }
    return renderer.bytes
  }

  private mutating func append(_ family: Family) {
    let descriptor = family.descriptor
    switch format {
    case .text004:
      appendHelp(descriptor.name, descriptor.help)
      appendType(descriptor.name, descriptor.kind)
    case .openMetrics100:
      appendType(descriptor.familyName, descriptor.kind)
      appendHelp(descriptor.familyName, descriptor.help)
    }
    for (_, series) in family.series.sorted(by: { $0.key < $1.key }) {
      append(series, of: descriptor.name)
    }
  }

  private mutating func append(_ series: Series, of name: String) {
    switch series.value {
    case .counter(let counter):
      let value = counter.exactValue.map(String.init) ?? NumberFormat.sample(counter.value, format)
      appendSample(name, series.renderedLabels, value)
    case .gauge(let gauge):
      appendSample(name, series.renderedLabels, NumberFormat.sample(gauge.value, format))
    case .computed(let value):
      appendSample(name, series.renderedLabels, NumberFormat.sample(value, format))
    case .histogram(let histogram):
      append(histogram, labels: series.renderedLabels, of: name)
    }
  }

  private mutating func append(_ histogram: Histogram, labels: [UInt8], of name: String) {
    let reading = histogram.reading
    let bucketLabels = labels + (labels.isEmpty ? "" : ",").utf8
    var count: UInt64 = 0
    for (index, cell) in reading.counts.enumerated() {
      count &+= cell
      let bound = index < histogram.bounds.count ? NumberFormat.bound(histogram.bounds[index]) : "+Inf"
      appendSample(name + "_bucket", bucketLabels + "le=\"\(bound)\"".utf8, String(count))
    }
    appendSample(name + "_sum", labels, NumberFormat.sample(reading.sum, format))
    appendSample(name + "_count", labels, String(count))
  }

  private mutating func appendHelp(_ name: String, _ help: String) {
    append("# HELP \(name) ")
    bytes.append(escaping: help, quotes: format == .openMetrics100)
    append("\n")
  }

  private mutating func appendType(_ name: String, _ kind: MetricDescriptor.Kind) {
    append("# TYPE \(name) \(kind.typeName)\n")
  }

  private mutating func appendSample(_ name: String, _ labels: [UInt8], _ value: String) {
    append(name)
    if !labels.isEmpty {
      bytes.append(UInt8(ascii: "{"))
      bytes += labels
      bytes.append(UInt8(ascii: "}"))
    }
    bytes.append(UInt8(ascii: " "))
    append(value)
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func append(_ text: String) {
    bytes += text.utf8
  }
}
