internal import RESP

/// The remaining time to live of a key.
public enum TimeToLive: Hashable, Sendable {
  /// There is no such key.
  case noKey
  /// The key has no expiry.
  case forever
  /// The key expires after this time.
  case expires(after: Duration)
}

/// Keys of any type.
extension StoreCommand {
  /// DEL: removes keys. Returns the number of removed ones.
  public static func del(_ keys: any StoreArgument...) -> StoreCommand where Reply == Int {
    StoreCommand("DEL", keys.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// UNLINK: removes keys and frees their memory later. Returns the number of removed ones.
  public static func unlink(_ keys: any StoreArgument...) -> StoreCommand where Reply == Int {
    StoreCommand("UNLINK", keys.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// EXISTS: whether a key exists.
  public static func exists(_ key: any StoreArgument) -> StoreCommand where Reply == Bool {
    StoreCommand("EXISTS", [key.argumentBytes], decode: RESPValue.flag)
  }

  /// EXISTS: the number of existing keys among several.
  public static func exists(_ keys: [any StoreArgument]) -> StoreCommand where Reply == Int {
    StoreCommand("EXISTS", keys.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// EXPIRE, or PEXPIRE for a time that is not whole seconds: sets a key's time to live. False if there is no such key.
  ///
  /// The time is rounded up to whole milliseconds; zero or less removes the key.
  public static func expire(_ key: any StoreArgument, after time: Duration) -> StoreCommand where Reply == Bool {
    let time = StoreTime(time)
    return StoreCommand(
      time.isWholeSeconds ? "EXPIRE" : "PEXPIRE",
      [key.argumentBytes, time.number],
      decode: RESPValue.flag
    )
  }

  /// TTL: the remaining time to live of a key, in whole seconds.
  public static func ttl(_ key: any StoreArgument) -> StoreCommand where Reply == TimeToLive {
    StoreCommand("TTL", [key.argumentBytes], decode: { RESPValue.timeToLive($0, unit: .seconds(1)) })
  }

  /// PTTL: the remaining time to live of a key, in milliseconds.
  public static func pttl(_ key: any StoreArgument) -> StoreCommand where Reply == TimeToLive {
    StoreCommand("PTTL", [key.argumentBytes], decode: { RESPValue.timeToLive($0, unit: .milliseconds(1)) })
  }

  /// TYPE: `string`, `list`, `set`, `zset`, `hash` or `stream`; `none` without the key.
  public static func type(of key: any StoreArgument) -> StoreCommand where Reply == String {
    StoreCommand("TYPE", [key.argumentBytes], decode: RESPValue.textOf)
  }

  /// MEMORY USAGE: the bytes that a key takes; nil without the key.
  public static func memoryUsage(_ key: any StoreArgument) -> StoreCommand where Reply == Int? {
    StoreCommand("MEMORY", ["USAGE".argumentBytes, key.argumentBytes], decode: RESPValue.integerOrNull)
  }
}

/// A time in the unit of EXPIRE and SETEX (whole seconds), or in that of PEXPIRE and PSETEX (milliseconds, rounded up).
struct StoreTime {
  let isWholeSeconds: Bool
  let number: [UInt8]

  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    isWholeSeconds = attoseconds == 0
    if isWholeSeconds {
      number = Int(seconds).argumentBytes
    } else {
      let attosecondsPerMillisecond: Int64 = 1_000_000_000_000_000
      let milliseconds = attoseconds / attosecondsPerMillisecond
      let isRoundedUp = attoseconds > 0 && !attoseconds.isMultiple(of: attosecondsPerMillisecond)
      number = (Int(seconds) * 1000 + Int(milliseconds) + (isRoundedUp ? 1 : 0)).argumentBytes
    }
  }
}
