internal import DequeModule

/// Bounds the copies that the pages of a backfill make one by one. A large key is copied alone. Loop-confined.
final class CopyBudget {
  /// The most copies in flight.
  static let maxCopies = 32
  /// The bytes of keys in flight at which no other copy begins.
  static let maxBytes = 4 << 20

  private let largeKeyBytes: Int
  private var inFlight: [ObjectIdentifier: Int] = [:]
  private var bytesInFlight = 0
  /// Called when a copy has ended.
  private var waiting = Deque<() -> Void>()

  init(largeKeyBytes: Int) {
    self.largeKeyBytes = largeKeyBytes
  }

  /// Whether a copy of a key of `bytes` bytes may begin.
  func mayBegin(_ bytes: Int) -> Bool {
    guard !inFlight.isEmpty else { return true }
    return inFlight.count < Self.maxCopies && bytesInFlight + bytes < Self.maxBytes && bytes <= largeKeyBytes
  }

  /// Notes a copy that begins.
  func began(_ copy: KeyCopy, _ bytes: Int) {
    inFlight[ObjectIdentifier(copy)] = bytes
    bytesInFlight += bytes
  }

  /// Has `then` called once, when one of the copies in flight has ended.
  func wait(_ then: @escaping () -> Void) { waiting.append(then) }

  /// Notes the end of a copy, if it is one of those.
  func ended(_ copy: KeyCopy) {
    guard let bytes = inFlight.removeValue(forKey: ObjectIdentifier(copy)) else { return }
    bytesInFlight -= bytes
    let waiting = waiting
    self.waiting = []
    for then in waiting { then() }
  }
}
