/// The values of all metrics at one moment, for a program that looks at its own figures: what a scrape at that moment
/// would say.
public struct MetricsReading {
  private let families: [String: Family]

  init(_ table: FamilyTable) {
    families = table.families
  }

  /// The value of one time series of a counter or a gauge; nil if there is none.
  ///
  /// - Parameter labels: all of its labels, in any order.
  public func value(_ name: String, _ labels: [(String, String)] = []) -> Double? {
    series(name, labels)?.number
  }

  /// The sum of those time series of a counter or a gauge that have at least these labels; 0 if there are none.
  public func sum(_ name: String, where labels: [(String, String)] = []) -> Double {
    guard let family = families[name] else { return 0 }
    var wanted: [(index: Int, value: String)] = []
    for (label, value) in labels {
      guard let index = family.descriptor.labels.firstIndex(of: label) else { return 0 }
      wanted.append((index, value))
    }
    return family.series.inOrder.reduce(0) { sum, element in
      let isWanted = wanted.allSatisfy { element.labels.values[$0.index] == $0.value }
      return isWanted ? sum + (element.series.number ?? 0) : sum
    }
  }

  /// How much was observed by one time series of a histogram, and the sum of it; nil if there is none.
  ///
  /// - Parameter labels: all of its labels, in any order.
  public func histogram(_ name: String, _ labels: [(String, String)] = []) -> (count: UInt64, sum: Double)? {
    guard case .histogram(let histogram) = series(name, labels)?.value else { return nil }
    let reading = histogram.reading
    return (reading.count, reading.sum)
  }

  private func series(_ name: String, _ labels: [(String, String)]) -> Series? {
    guard let family = families[name] else { return nil }
    return LabelSet(labels).ordered(as: family.descriptor.labels).flatMap { family.series[$0] }
  }
}

extension Series {
  /// The value now; nil for a histogram, which has none of its own.
  fileprivate var number: Double? {
    switch value {
    case .counter(let counter): counter.value
    case .gauge(let gauge): gauge.value
    case .computed(let value): value
    case .histogram: nil
    }
  }
}
