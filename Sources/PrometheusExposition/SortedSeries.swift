/// The time series of one metric by their labels, in the order of the exposition: they are looked up and written at
/// each scrape, and rarely added.
struct SortedSeries {
  /// One time series with its labels.
  struct Element {
    let labels: LabelSet
    var series: Series
  }

  private var elements: [Element] = []

  /// The number of time series.
  var count: Int { elements.count }

  /// Whether there are no time series.
  var isEmpty: Bool { elements.isEmpty }

  /// All time series, sorted by their labels' values.
  var inOrder: [Element] { elements }

  /// The time series with these labels, in the order of the metric's description; nil if there is none. Setting it adds
  /// or replaces it; it is never removed.
  subscript(_ labels: LabelSet) -> Series? {
    get {
      let place = place(of: labels)
      return place.isThere ? elements[place.index].series : nil
    }
    set {
      guard let newValue else { return }
      let place = place(of: labels)
      if place.isThere {
        elements[place.index].series = newValue
      } else {
        elements.insert(Element(labels: labels, series: newValue), at: place.index)
      }
    }
  }

  private func place(of labels: LabelSet) -> (index: Int, isThere: Bool) {
    var (low, high) = (0, elements.count)
    while low < high {
      let middle = (low + high) / 2
      if elements[middle].labels < labels { low = middle + 1 } else { high = middle }
    }
    return (low, low < elements.count && elements[low].labels == labels)
  }
}
