/// The time series of one metric by their labels, in the order in which they are written: they are looked up and
/// written at each scrape, and hardly ever added.
struct SortedSeries {
  /// One time series with its labels.
  struct Element {
    let labels: LabelSet
    var series: Series
  }

  private var elements: [Element] = []

  /// How many there are.
  var count: Int { elements.count }

  /// True when there are none.
  var isEmpty: Bool { elements.isEmpty }

  /// All of them, by their labels' values.
  var inOrder: [Element] { elements }

  /// The time series with these labels, in the order of the metric's description; nil if there is none. It is added or
  /// replaced by setting it, and never taken away.
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
