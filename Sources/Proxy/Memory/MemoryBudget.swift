internal import Synchronization

/// The bytes that all clients of all instances use together, and how many that may be.
///
/// Recording is lock-free and allowed on any thread.
package final class MemoryBudget: Sendable {
  /// The setting `memory_limit`, in bytes.
  package let limit: Int
  private let total = Atomic<Int>(0)
  /// The most that was in use since memory was given back, and since the last look at it.
  private let peak = Atomic<Int>(0)
  private let recentPeak = Atomic<Int>(0)
  private let input = Atomic<Int>(0)
  private let reserved = Atomic<Int>(0)
  private let held = Atomic<Int>(0)
  private let output = Atomic<Int>(0)
  private let queued = Atomic<Int>(0)

  package init(limit: Int) {
    self.limit = limit
  }

  /// Large commands get room up to here. The rest is for replies, for clients that need little, and for what malloc and
  /// growing buffers take besides.
  var roomForLargeCommands: Int { limit / 2 }

  /// With more in use, clients are refused and closed: buffers that grow need room for more than what is in them.
  var mostInUse: Int { limit / 4 * 3 }

  /// Bytes in use.
  var used: Int { total.load(ordering: .relaxed) }

  /// Whether so much is in use that clients should not be read far ahead.
  var isTight: Bool { used > roomForLargeCommands }

  /// Bytes in use for one purpose.
  func used(for part: MemoryPart) -> Int { withCounter(of: part) { $0.load(ordering: .relaxed) } }

  /// Records a change.
  func change(_ part: MemoryPart, by bytes: Int) {
    withCounter(of: part) { _ = $0.add(bytes, ordering: .relaxed) }
    notePeak(total.add(bytes, ordering: .relaxed).newValue)
  }

  /// Takes `bytes` for a large command, unless that is more than there is room for.
  func reserve(_ bytes: Int) -> Bool {
    var used = total.load(ordering: .relaxed)
    while used + bytes <= roomForLargeCommands {
      let result = total.weakCompareExchange(expected: used, desired: used + bytes, ordering: .relaxed)
      guard !result.exchanged else {
        reserved.add(bytes, ordering: .relaxed)
        notePeak(used + bytes)
        return true
      }
      used = result.original
    }
    return false
  }

  /// Whether all that was in use since the last call is at least `bytes` below an earlier peak, and half of it at most:
  /// then memory should be given back. Returns true once for a peak.
  func hasFallen(by bytes: Int) -> Bool {
    let recent = recentPeak.exchange(used, ordering: .relaxed)
    let peak = max(recent, peak.load(ordering: .relaxed))
    let hasFallen = peak - recent >= bytes && recent <= peak / 2
    self.peak.store(hasFallen ? recent : peak, ordering: .relaxed)
    return hasFallen
  }

  private func notePeak(_ used: Int) {
    if used > recentPeak.load(ordering: .relaxed) { recentPeak.store(used, ordering: .relaxed) }
  }

  private func withCounter<Result>(of part: MemoryPart, _ body: (borrowing Atomic<Int>) -> Result) -> Result {
    switch part {
    case .input: body(input)
    case .reserved: body(reserved)
    case .held: body(held)
    case .output: body(output)
    case .queued: body(queued)
    }
  }
}
