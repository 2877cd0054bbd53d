internal import RESP

/// Sets, and the HyperLogLogs that estimate their sizes.
extension StoreCommand {
  /// SADD: adds one member. True if it is new.
  public static func sadd(
    _ key: any StoreArgument,
    _ member: any StoreArgument
  ) -> StoreCommand where Reply == Bool {
    StoreCommand("SADD", [key.argumentBytes, member.argumentBytes], decode: RESPValue.flag)
  }

  /// SADD: adds several members, at least one. Returns the number of new ones.
  public static func sadd(
    _ key: any StoreArgument,
    _ members: [any StoreArgument]
  ) -> StoreCommand where Reply == Int {
    StoreCommand("SADD", [key.argumentBytes] + members.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// SREM: removes one member. True if it was in the set.
  public static func srem(
    _ key: any StoreArgument,
    _ member: any StoreArgument
  ) -> StoreCommand where Reply == Bool {
    StoreCommand("SREM", [key.argumentBytes, member.argumentBytes], decode: RESPValue.flag)
  }

  /// SREM: removes several members, at least one. Returns the number of removed ones.
  public static func srem(
    _ key: any StoreArgument,
    _ members: [any StoreArgument]
  ) -> StoreCommand where Reply == Int {
    StoreCommand("SREM", [key.argumentBytes] + members.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// SCARD: the number of members.
  public static func scard(_ key: any StoreArgument) -> StoreCommand where Reply == Int {
    StoreCommand("SCARD", [key.argumentBytes], decode: RESPValue.integer)
  }

  /// SISMEMBER: whether a member is in the set.
  public static func sismember(
    _ key: any StoreArgument,
    _ member: any StoreArgument
  ) -> StoreCommand where Reply == Bool {
    StoreCommand("SISMEMBER", [key.argumentBytes, member.argumentBytes], decode: RESPValue.flag)
  }

  /// SMEMBERS: all members, in no order.
  public static func smembers(_ key: any StoreArgument) -> StoreCommand where Reply == [[UInt8]] {
    smembers(key, as: [UInt8].self)
  }

  /// As ``smembers(_:)``, read as text or a number.
  public static func smembers<Value: StoreValue>(_ key: any StoreArgument, as type: Value.Type) -> StoreCommand
  where Reply == [Value] {
    StoreCommand("SMEMBERS", [key.argumentBytes], decode: RESPValue.values)
  }

  /// SPOP: removes one random member; nil from an empty set.
  public static func spop(_ key: any StoreArgument) -> StoreCommand where Reply == [UInt8]? {
    spop(key, as: [UInt8].self)
  }

  /// As ``spop(_:)``, read as text or a number.
  public static func spop<Value: StoreValue>(_ key: any StoreArgument, as type: Value.Type) -> StoreCommand
  where Reply == Value? {
    StoreCommand("SPOP", [key.argumentBytes], decode: RESPValue.valueOrNull)
  }

  /// SPOP: removes random members, `count` at most.
  public static func spop(_ key: any StoreArgument, count: Int) -> StoreCommand where Reply == [[UInt8]] {
    spop(key, count: count, as: [UInt8].self)
  }

  /// As ``spop(_:count:)``, read as text or a number.
  public static func spop<Value: StoreValue>(_ key: any StoreArgument, count: Int, as type: Value.Type) -> StoreCommand
  where Reply == [Value] {
    StoreCommand("SPOP", [key.argumentBytes, count.argumentBytes], decode: RESPValue.values)
  }

  /// PFADD: adds elements to a HyperLogLog. True if its estimate changed.
  public static func pfadd(
    _ key: any StoreArgument,
    _ elements: any StoreArgument...
  ) -> StoreCommand where Reply == Bool {
    StoreCommand("PFADD", [key.argumentBytes] + elements.map(\.argumentBytes), decode: RESPValue.flag)
  }

  /// PFCOUNT: the approximate number of distinct elements in all the HyperLogLogs together.
  public static func pfcount(_ keys: any StoreArgument...) -> StoreCommand where Reply == Int {
    StoreCommand("PFCOUNT", keys.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// PFMERGE: merges several HyperLogLogs into one.
  public static func pfmerge(
    _ destination: any StoreArgument,
    from sources: any StoreArgument...
  ) -> StoreCommand where Reply == Void {
    StoreCommand("PFMERGE", [destination.argumentBytes] + sources.map(\.argumentBytes), decode: RESPValue.done)
  }
}
