internal import RESP

/// Hashes.
extension StoreCommand {
  /// HGET: the value of one field; nil without the key or the field.
  public static func hget(_ key: any StoreArgument, _ field: any StoreArgument) -> StoreCommand
  where Reply == [UInt8]? {
    hget(key, field, as: [UInt8].self)
  }

  /// As ``hget(_:_:)``, read as text or a number.
  public static func hget<Value: StoreValue>(_ key: any StoreArgument, _ field: any StoreArgument, as type: Value.Type)
    -> StoreCommand where Reply == Value?
  {
    StoreCommand("HGET", [key.argumentBytes, field.argumentBytes], decode: RESPValue.valueOrNull)
  }

  /// HMGET: the values of several fields in their order; nil for missing ones.
  public static func hmget(_ key: any StoreArgument, _ fields: any StoreArgument...) -> StoreCommand
  where Reply == [[UInt8]?] {
    StoreCommand("HMGET", [key.argumentBytes] + fields.map(\.argumentBytes), decode: RESPValue.valuesOrNulls)
  }

  /// As ``hmget(_:_:)``, read as text or a number.
  public static func hmget<Value: StoreValue>(
    _ key: any StoreArgument,
    _ fields: any StoreArgument...,
    as type: Value.Type
  ) -> StoreCommand where Reply == [Value?] {
    StoreCommand("HMGET", [key.argumentBytes] + fields.map(\.argumentBytes), decode: RESPValue.valuesOrNulls)
  }

  /// HGETALL: all fields, whose names have to be text, with their values; empty without the key.
  public static func hgetall(_ key: any StoreArgument) -> StoreCommand where Reply == [String: [UInt8]] {
    hgetall(key, as: [UInt8].self)
  }

  /// As ``hgetall(_:)``, read as text or a number.
  public static func hgetall<Value: StoreValue>(_ key: any StoreArgument, as type: Value.Type) -> StoreCommand
  where Reply == [String: Value] {
    StoreCommand("HGETALL", [key.argumentBytes], decode: RESPValue.fields)
  }

  /// HLEN: the number of fields.
  public static func hlen(_ key: any StoreArgument) -> StoreCommand where Reply == Int {
    StoreCommand("HLEN", [key.argumentBytes], decode: RESPValue.integer)
  }

  /// HEXISTS: whether a field exists.
  public static func hexists(
    _ key: any StoreArgument,
    _ field: any StoreArgument
  ) -> StoreCommand where Reply == Bool {
    StoreCommand("HEXISTS", [key.argumentBytes, field.argumentBytes], decode: RESPValue.flag)
  }

  /// HSET: sets one field. True if it is a new one.
  public static func hset(
    _ key: any StoreArgument,
    _ field: any StoreArgument,
    _ value: any StoreArgument
  ) -> StoreCommand where Reply == Bool {
    StoreCommand("HSET", [key.argumentBytes, field.argumentBytes, value.argumentBytes], decode: RESPValue.flag)
  }

  /// HSET: sets several fields, at least one. Returns the number of new ones.
  public static func hset<Field: StoreArgument & Hashable>(
    _ key: any StoreArgument,
    _ fields: [Field: any StoreArgument]
  ) -> StoreCommand where Reply == Int {
    StoreCommand(
      "HSET",
      [key.argumentBytes] + fields.flatMap { [$0.key.argumentBytes, $0.value.argumentBytes] },
      decode: RESPValue.integer
    )
  }

  /// HDEL: removes fields. Returns the number of removed ones.
  public static func hdel(
    _ key: any StoreArgument,
    _ fields: any StoreArgument...
  ) -> StoreCommand where Reply == Int {
    StoreCommand("HDEL", [key.argumentBytes] + fields.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// HINCRBY: adds to a field that is a counter, which begins at 0. Returns the new value.
  public static func hincrby(
    _ key: any StoreArgument,
    _ field: any StoreArgument,
    _ amount: Int
  ) -> StoreCommand where Reply == Int {
    StoreCommand(
      "HINCRBY",
      [key.argumentBytes, field.argumentBytes, amount.argumentBytes],
      decode: RESPValue.integer
    )
  }
}
