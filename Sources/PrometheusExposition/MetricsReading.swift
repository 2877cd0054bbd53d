/// The values of all metrics at one moment, as a scrape would show them, for a program that reads its own metrics.
public struct MetricsReading {
  private let families: [String: Family]

  init(_ table: FamilyTable) {
    families = table.families
  }

  /// Returns the value of one time series of a counter or a gauge; nil if there is none.
  ///
  /// - Parameter labels: All labels of the series, in any order.
  public func value(_ name: String, _ labels: [(String, String)] = []) -> Double? {
    series(name, labels)?.number
  }

  /// Returns the sum of the time series of a counter or a gauge that have at least these labels; 0 without any.
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

  /// Returns the number of observations of one time series of a histogram, and their sum; nil if there is none.
  ///
  /// - Parameter labels: All labels of the series, in any order.
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
  /// The current value; nil for a histogram.
  fileprivate var number: Double? {
    switch value {
    case .counter(let counter): counter.value
    case .gauge(let gauge): gauge.value
    case .computed(let value): value
    case .histogram: nil
    }
  }
}
