/// Compares keys of one database by their digests, and in pieces those that have none. Loop-confined; what it waits for
/// retains it.
final class FullComparison {
  private let database: Database
  private let then: ([ComparedKey]) -> Void
  private var compared: [ComparedKey] = []
  private var index = 0

  /// - Parameter then: called once, with the keys in their order.
  init(in database: Database, then: @escaping ([ComparedKey]) -> Void) {
    self.database = database
    self.then = then
  }

  func begin(with keys: [[UInt8]]) {
    KeyComparison(of: keys, in: database) { compared in
      self.compared = compared
      self.proceed()
    }
    .begin()
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
