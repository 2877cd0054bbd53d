internal import Synchronization

/// The bytes that all clients of all instances use together, and their limit.
///
/// Recording is lock-free and allowed on any thread.
package final class MemoryBudget: Sendable {
  /// The setting `memory_limit`, in bytes.
  package let limit: Int
  private let total = Atomic<Int>(0)
  /// The most bytes in use since memory was returned, and since the last call of ``hasFallen(by:)``.
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

  /// The bytes up to which large commands get room. The rest is for replies, for clients that need little, and for the
  /// overhead of malloc and of growing buffers.
  var roomForLargeCommands: Int { limit / 2 }

  /// The use above which commands are refused and clients closed: a growing buffer needs more room than its contents.
  var mostInUse: Int { limit / 4 * 3 }

  /// Bytes in use.
  var used: Int { total.load(ordering: .relaxed) }

  /// Whether memory is so short that clients should not be read far ahead.
  var isTight: Bool { used > roomForLargeCommands }

  /// Returns the bytes in use for one purpose.
  func used(for part: MemoryPart) -> Int { withCounter(of: part) { $0.load(ordering: .relaxed) } }

  /// Records a change.
  func change(_ part: MemoryPart, by bytes: Int) {
    withCounter(of: part) { _ = $0.add(bytes, ordering: .relaxed) }
    notePeak(total.add(bytes, ordering: .relaxed).newValue)
  }

  /// Reserves `bytes` for a large command, unless there is no room for them.
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

  /// Whether the use since the last call was at least `bytes` below an earlier peak, and at most half of it, so that
  /// memory should be returned to the operating system. Returns true once for a peak.
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
