/// Bounds the copies of whole keys that nobody waits for: so many at once, so many bytes, so many in a second. It
/// decides only, and has no clock of its own.
struct KeyPace {
  /// The most copies in flight, those that a client waits for included: enough for a round trip of some milliseconds.
  static let maxKeys = 32
  /// The bytes of dumps in flight at which no other copy begins.
  static let maxBytes = 16 << 20
  /// While clients wait for a flip, so many may be in flight, and the rate does not matter.
  static let maxHurriedKeys = 512

  /// Copies that may begin in a second.
  private let rate: Double
  /// Copies that may begin at once: those of a tenth of a second.
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

  /// A copy begins. One that a client waits for may do so at any time.
  mutating func began() {
    keysInFlight += 1
    allowance = max(0, allowance - 1)
  }

  /// A dump is there.
  mutating func received(bytes: Int) {
    bytesInFlight += bytes
  }

  /// A copy has ended, whose dump had so many bytes.
  mutating func ended(bytes: Int) {
    precondition(keysInFlight > 0 && bytesInFlight >= bytes, "a copy ends that has not begun")
    keysInFlight -= 1
    bytesInFlight -= bytes
  }

  /// How long it takes until the rate lets another copy begin, if nothing else prevents it; nil if it does now, or
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
