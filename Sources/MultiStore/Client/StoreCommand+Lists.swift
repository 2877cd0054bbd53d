internal import RESP

/// An element of a list, and the list that it was taken from.
public struct PoppedElement: Hashable, Sendable {
  /// The list's key.
  public let key: [UInt8]
  /// The element.
  public let value: [UInt8]
}

/// Lists.
extension StoreCommand {
  /// RPUSH: appends elements to a list. Returns its new length.
  public static func rpush(
    _ key: any StoreArgument,
    _ elements: any StoreArgument...
  ) -> StoreCommand where Reply == Int {
    StoreCommand("RPUSH", [key.argumentBytes] + elements.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// LLEN: the number of a list's elements.
  public static func llen(_ key: any StoreArgument) -> StoreCommand where Reply == Int {
    StoreCommand("LLEN", [key.argumentBytes], decode: RESPValue.integer)
  }

  /// LRANGE: the elements from `start` to `stop`, both included; negative places count from the end.
  public static func lrange(_ key: any StoreArgument, _ start: Int = 0, _ stop: Int = -1) -> StoreCommand
  where Reply == [[UInt8]] {
    lrange(key, start, stop, as: [UInt8].self)
  }

  /// As ``lrange(_:_:_:)``, read as text or a number.
  public static func lrange<Value: StoreValue>(
    _ key: any StoreArgument,
    _ start: Int = 0,
    _ stop: Int = -1,
    as type: Value.Type
  ) -> StoreCommand where Reply == [Value] {
    StoreCommand("LRANGE", [key.argumentBytes, start.argumentBytes, stop.argumentBytes], decode: RESPValue.values)
  }

  /// LTRIM: keeps the elements from `start` to `stop`, both included, and drops the others.
  public static func ltrim(
    _ key: any StoreArgument,
    _ start: Int,
    _ stop: Int
  ) -> StoreCommand where Reply == Void {
    StoreCommand("LTRIM", [key.argumentBytes, start.argumentBytes, stop.argumentBytes], decode: RESPValue.done)
  }

  /// BLPOP: takes the first element of the first list that has one, and waits for one if none has. Nil after `timeout`.
  ///
  /// It waits on a dedicated connection to the default store, opened for it. When the default store moves, it waits on
  /// the new one for the rest of the timeout. If dual writes are on when an element is taken, it is removed from the
  /// other store afterwards. A timeout of zero waits until the client is closed.
  public static func blpop(
    _ keys: any StoreArgument...,
    timeout: Duration
  ) -> StoreCommand where Reply == PoppedElement? {
    StoreCommand("BLPOP", keys.map(\.argumentBytes) + [(timeout / .seconds(1)).argumentBytes]) { reply in
      if reply == .null { return .some(nil) }
      guard let words: [[UInt8]] = RESPValue.values(reply), words.count == 2 else { return nil }
      return PoppedElement(key: words[0], value: words[1])
    }
  }
}
