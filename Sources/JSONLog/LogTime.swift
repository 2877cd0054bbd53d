internal import Glibc

/// A moment, as log lines tell it.
public struct LogTime: Sendable, Equatable {
  /// Milliseconds since 1970-01-01 00:00 UTC, leap seconds not counted; negative before.
  public var millisecondsSinceEpoch: Int64

  /// A moment by its distance from 1970.
  public init(millisecondsSinceEpoch: Int64) {
    self.millisecondsSinceEpoch = millisecondsSinceEpoch
  }

  /// The moment by the system's clock.
  public static func now() -> LogTime {
    var time = timespec()
    // The pointer is to a local variable and not kept by the call.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return LogTime(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// `2022-05-21T14:10:19.778Z`: ISO 8601, UTC.
  var iso8601: String {
    let (days, milliseconds) = LogTime.floorDivide(millisecondsSinceEpoch, by: 86_400_000)
    let (year, month, day) = LogTime.date(daysSinceEpoch: days)
    func padded(_ number: Int64, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    let (hour, minute) = (milliseconds / 3_600_000, milliseconds / 60_000 % 60)
    let (second, fraction) = (milliseconds / 1000 % 60, milliseconds % 1000)
    return "\(date)T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)).\(padded(fraction, 3))Z"
  }

  /// The Gregorian date of a day.
  ///
  /// Years are counted from March, so that the leap day is the last of its year, in eras of 400 years or 146,097 days,
  /// after which the calendar repeats itself.
  private static func date(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let daysToEpoch: Int64 = 719_468  // from 0000-03-01 to 1970-01-01
    let (era, dayOfEra) = floorDivide(daysSinceEpoch + daysToEpoch, by: 146_097)
    let leapCorrected = dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096
    let yearOfEra = leapCorrected / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    // From March on, five months have 153 days, over and over.
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
  }

  private static func floorDivide(_ dividend: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
