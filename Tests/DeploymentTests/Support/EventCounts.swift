import TestSupport

/// How many events there were of each class: `ReadFromPrimaryError`, `PipelinedDiffError`, `StoreError` and so on.
struct EventCounts: Equatable, CustomStringConvertible {
  /// All classes, as the label `class` of the metrics has them.
  static let classes = [
    "ReadFromPrimaryError", "PipelinedDiffError", "PersistentDiffError", "MethodMissingError", "KeyDifferenceError",
    "StoreError",
  ]

  private(set) var byClass: [String: Int] = [:]

  var description: String { byClass.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ") }

  /// What a counter with the label `class` says of an instance.
  init(_ metrics: MetricsSnapshot, _ names: String...) {
    for name in Self.classes {
      let count = names.map { metrics.sum($0, ["class": name, "instance_name": "sessions"]) }.reduce(0, +)
      if count > 0 { byClass[name] = Int(count) }
    }
  }

  /// Lines of the form `CLASS INSTANCE EVENTS`, where the class is an exception's full name or one of ``classes``.
  init(listing text: String) throws {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3, words[1] == "sessions", let count = Int(words[2]) else {
        throw TestSupportError(.malformed, "not CLASS INSTANCE EVENTS: \(line)")
      }
      let last = words[0].split(separator: ":").last.map(String.init) ?? ""
      byClass[Self.classes.contains(last) ? last : "StoreError", default: 0] += count
    }
  }
}
