/// Bounds the copies of whole keys that no client waits for: their number in flight, their bytes and their rate. It
/// only decides, and has no clock of its own.
struct KeyPace {
  /// The most copies in flight, those that a client waits for included: enough for a round trip of some milliseconds.
  static let maxKeys = 32
  /// The bytes of dumps in flight at which no other copy begins.
  static let maxBytes = 16 << 20
  /// The most copies in flight while clients wait for a flip, when the rate does not apply.
  static let maxHurriedKeys = 512

  /// The number of copies that may begin in a second.
  private let rate: Double
  /// The number of copies that may begin at once: those of a tenth of a second.
  private let burst: Double
  private var allowance: Double
  private var refilledAt: UInt64 = 0
  private(set) var keysInFlight = 0
  private(set) var bytesInFlight = 0

  /// - Parameter keysPerSecond: 0 if copies begin only while clients wait for a flip.
  init(keysPerSecond: Int) {
    rate = Double(keysPerSecond)
    burst = keysPerSecond > 0 ? max(1, rate / 10) : 0
    allowance = burst
  }

  /// Whether another copy may begin, by the loop's clock.
  mutating func mayBegin(now: UInt64, isHurried: Bool) -> Bool {
    refill(now: now)
    guard bytesInFlight < Self.maxBytes else { return false }
    return isHurried ? keysInFlight < Self.maxHurriedKeys : keysInFlight < Self.maxKeys && allowance >= 1
  }

  /// Counts a copy that begins. One that a client waits for may do so at any time, and leaves the others the rate.
  mutating func began(isForClient: Bool = false) {
    keysInFlight += 1
    allowance = max(isForClient ? min(allowance, 1) : 0, allowance - 1)
  }

  /// Counts the bytes of a dump that has arrived.
  mutating func received(bytes: Int) {
    bytesInFlight += bytes
  }

  /// Ends a copy whose dump had `bytes` bytes.
  mutating func ended(bytes: Int) {
    precondition(keysInFlight > 0 && bytesInFlight >= bytes, "a copy ends that has not begun")
    keysInFlight -= 1
    bytesInFlight -= bytes
  }

  /// Returns the time until the rate permits another copy, if nothing else prevents it; nil if it permits one now, or
  /// never will.
  mutating func pause(now: UInt64) -> Duration? {
    guard rate > 0 else { return nil }
    refill(now: now)
    return allowance >= 1 ? nil : .nanoseconds(Int64((1 - allowance) / rate * 1e9) + 1)
  }

  private mutating func refill(now: UInt64) {
    defer { refilledAt = max(now, refilledAt) }
    guard now > refilledAt else { return }
    allowance = min(burst, allowance + Double(now - refilledAt) / 1e9 * rate)
  }
}
