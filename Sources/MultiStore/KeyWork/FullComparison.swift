/// Compares keys of one database by their digests, and in pieces those that have none. Loop-confined; what it waits for
/// retains it.
final class FullComparison {
  private let database: Database
  /// Whether most keys are expected to be equal.
  private let expectsEqual: Bool
  private let then: ([ComparedKey]) -> Void
  /// The keys in their order, by the questions that were asked at the same time.
  private var parts: [[ComparedKey]] = []
  private var partsLeft = 0
  private var compared: [ComparedKey] = []
  private var index = 0

  /// - Parameters:
  ///   - expectsEqual: whether the keys are compared several at a time first.
  ///   - then: called once, with the keys in their order.
  init(in database: Database, expectsEqual: Bool, then: @escaping ([ComparedKey]) -> Void) {
    self.database = database
    self.expectsEqual = expectsEqual
    self.then = then
  }

  /// Begins with the keys, of which there is at least one.
  func begin(with keys: [[UInt8]]) {
    let starts = Array(stride(from: 0, to: keys.count, by: KeyComparison.maxSummarised))
    parts = Array(repeating: [], count: starts.count)
    partsLeft = starts.count
    for (number, start) in starts.enumerated() {
      let part = Array(keys[start..<min(keys.count, start + KeyComparison.maxSummarised)])
      KeyComparison(of: part, in: database, expectsEqual: expectsEqual) { self.received($0, number) }.begin()
    }
  }

  private func received(_ part: [ComparedKey], _ number: Int) {
    parts[number] = part
    partsLeft -= 1
    guard partsLeft == 0 else { return }
    compared = parts.count == 1 ? part : parts.flatMap { $0 }
    proceed()
  }

  /// Compares the next key that has no digest: one at a time, since they may be large.
  private func proceed() {
    guard let next = compared[index...].firstIndex(where: { $0.outcome == .unknown }) else { return then(compared) }
    index = next + 1
    PieceComparison(of: compared[next].key, in: database) { result in
      self.compared[next] = result
      self.proceed()
    }
    .begin()
  }
}
