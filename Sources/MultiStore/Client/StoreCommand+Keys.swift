internal import RESP

/// How long a key has left.
public enum TimeToLive: Hashable, Sendable {
  /// There is no such key.
  case noKey
  /// The key has no expiry.
  case forever
  /// The key goes after this time.
  case expires(after: Duration)
}

/// Keys of any type.
extension StoreCommand {
  /// DEL: removes keys. How many there were.
  public static func del(_ keys: any StoreArgument...) -> StoreCommand where Reply == Int {
    StoreCommand("DEL", keys.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// UNLINK: removes keys and frees their memory later. How many there were.
  public static func unlink(_ keys: any StoreArgument...) -> StoreCommand where Reply == Int {
    StoreCommand("UNLINK", keys.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// EXISTS: whether a key is there.
  public static func exists(_ key: any StoreArgument) -> StoreCommand where Reply == Bool {
    StoreCommand("EXISTS", [key.argumentBytes], decode: RESPValue.flag)
  }

  /// EXISTS: how many of several keys are there.
  public static func exists(_ keys: [any StoreArgument]) -> StoreCommand where Reply == Int {
    StoreCommand("EXISTS", keys.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// EXPIRE, or PEXPIRE for a time that is not whole seconds: lets a key go after a while. False if there is no such
  /// key.
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

  /// TTL: how long a key has left, in whole seconds.
  public static func ttl(_ key: any StoreArgument) -> StoreCommand where Reply == TimeToLive {
    StoreCommand("TTL", [key.argumentBytes], decode: { RESPValue.timeToLive($0, unit: .seconds(1)) })
  }

  /// PTTL: how long a key has left, in milliseconds.
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

/// A time as EXPIRE and SETEX take it (whole seconds), or as PEXPIRE and PSETEX do (milliseconds, rounded up).
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
