internal import RESP

/// The condition under which SET takes effect.
public enum SetCondition: Hashable, Sendable {
  /// No condition.
  case always
  /// Only when there is no such key: NX.
  case ifAbsent
  /// Only when there is such a key: XX.
  case ifPresent
}

/// Strings and counters.
extension StoreCommand {
  /// GET: the value of a key; nil without the key.
  public static func get(_ key: any StoreArgument) -> StoreCommand where Reply == [UInt8]? {
    get(key, as: [UInt8].self)
  }

  /// As ``get(_:)``, read as text or a number.
  public static func get<Value: StoreValue>(_ key: any StoreArgument, as type: Value.Type) -> StoreCommand
  where Reply == Value? {
    StoreCommand("GET", [key.argumentBytes], decode: RESPValue.valueOrNull)
  }

  /// MGET: the values of several keys in their order; nil for missing ones.
  public static func mget(_ keys: any StoreArgument...) -> StoreCommand where Reply == [[UInt8]?] {
    mget(keys)
  }

  /// As ``mget(_:)-(StoreArgument...)``, read as text or a number.
  public static func mget<Value: StoreValue>(_ keys: any StoreArgument..., as type: Value.Type) -> StoreCommand
  where Reply == [Value?] {
    mget(keys, as: type)
  }

  /// MGET: the values of several keys in their order; nil for missing ones.
  public static func mget(_ keys: [any StoreArgument]) -> StoreCommand where Reply == [[UInt8]?] {
    mget(keys, as: [UInt8].self)
  }

  /// As ``mget(_:)-([StoreArgument])``, read as text or a number.
  public static func mget<Value: StoreValue>(_ keys: [any StoreArgument], as type: Value.Type) -> StoreCommand
  where Reply == [Value?] {
    StoreCommand("MGET", keys.map(\.argumentBytes), decode: RESPValue.valuesOrNulls)
  }

  /// SET: sets a key's value. False if the condition prevented it.
  ///
  /// With an expiry (above zero, rounded up to milliseconds) the key expires after that time; otherwise it does not
  /// expire.
  public static func set(
    _ key: any StoreArgument,
    _ value: any StoreArgument,
    expiry: Duration? = nil,
    condition: SetCondition = .always
  ) -> StoreCommand where Reply == Bool {
    var arguments = [key.argumentBytes, value.argumentBytes]
    if let expiry {
      let time = StoreTime(expiry)
      arguments += [(time.isWholeSeconds ? "EX" : "PX").argumentBytes, time.number]
    }
    switch condition {
    case .always: break
    case .ifAbsent: arguments.append("NX".argumentBytes)
    case .ifPresent: arguments.append("XX".argumentBytes)
    }
    return StoreCommand("SET", arguments, decode: RESPValue.tookEffect)
  }

  /// SETEX, or PSETEX for a time that is not whole seconds: sets a key's value and time to live.
  ///
  /// The expiry is above zero and rounded up to milliseconds.
  public static func setex(
    _ key: any StoreArgument,
    _ expiry: Duration,
    _ value: any StoreArgument
  ) -> StoreCommand where Reply == Void {
    let time = StoreTime(expiry)
    return StoreCommand(
      time.isWholeSeconds ? "SETEX" : "PSETEX",
      [key.argumentBytes, time.number, value.argumentBytes],
      decode: RESPValue.done
    )
  }

  /// SETNX: sets a key's value if there is no such key. True if it took effect.
  public static func setnx(
    _ key: any StoreArgument,
    _ value: any StoreArgument
  ) -> StoreCommand where Reply == Bool {
    StoreCommand("SETNX", [key.argumentBytes, value.argumentBytes], decode: RESPValue.flag)
  }

  /// STRLEN: the bytes of a value; 0 without the key.
  public static func strlen(_ key: any StoreArgument) -> StoreCommand where Reply == Int {
    StoreCommand("STRLEN", [key.argumentBytes], decode: RESPValue.integer)
  }

  /// INCR: adds 1 to a counter, which begins at 0. Returns the new value.
  public static func incr(_ key: any StoreArgument) -> StoreCommand where Reply == Int {
    StoreCommand("INCR", [key.argumentBytes], decode: RESPValue.integer)
  }

  /// INCRBY: adds to a counter, which begins at 0. Returns the new value.
  public static func incrby(_ key: any StoreArgument, _ amount: Int) -> StoreCommand where Reply == Int {
    StoreCommand("INCRBY", [key.argumentBytes, amount.argumentBytes], decode: RESPValue.integer)
  }

  /// INCRBYFLOAT: adds to a number, which begins at 0. Returns the new value.
  public static func incrbyfloat(_ key: any StoreArgument, _ amount: Double) -> StoreCommand where Reply == Double {
    StoreCommand("INCRBYFLOAT", [key.argumentBytes, amount.argumentBytes], decode: RESPValue.double)
  }

  /// DECR: takes 1 from a counter, which begins at 0. Returns the new value.
  public static func decr(_ key: any StoreArgument) -> StoreCommand where Reply == Int {
    StoreCommand("DECR", [key.argumentBytes], decode: RESPValue.integer)
  }
}
