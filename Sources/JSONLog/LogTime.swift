internal import Glibc

/// A time by the wall clock.
public struct LogTime: Sendable, Equatable {
  /// The milliseconds since 1970-01-01 00:00 UTC without leap seconds; negative before.
  public var millisecondsSinceEpoch: Int64

  /// Creates a time.
  public init(millisecondsSinceEpoch: Int64) {
    self.millisecondsSinceEpoch = millisecondsSinceEpoch
  }

  /// Returns the present time by the system's clock.
  public static func now() -> LogTime {
    var time = timespec()
    // The pointer is to a local variable and not kept by the call.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return LogTime(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// The time in ISO 8601, UTC: `2022-05-21T14:10:19.778Z`.
  var iso8601: String {
    var (seconds, milliseconds) = millisecondsSinceEpoch.quotientAndRemainder(dividingBy: 1000)
    if milliseconds < 0 { (seconds, milliseconds) = (seconds - 1, milliseconds + 1000) }
    var time = time_t(seconds)
    // The pointers are to local variables and not kept by the calls; the zone's name in `tm` is not read.
    var parts = unsafe tm()
    var text = [CChar](repeating: 0, count: 32)
    let count = unsafe gmtime_r(&time, &parts) == nil ? 0 : strftime(&text, text.count, "%04Y-%m-%dT%H:%M:%S", &parts)
    let fraction = String(milliseconds)
    return String(decoding: text[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
      + "." + String(repeating: "0", count: 3 - fraction.count) + fraction + "Z"
  }
}
