internal import RESP

/// Scripts, messages, and the store as a whole.
extension StoreCommand {
  /// EVAL: runs a script on the default store.
  ///
  /// The effect of a script can't be determined from its text, so the other store does not run it: while dual writes
  /// are on, the keys that are named in `keys` are copied there as they are after the script. A script that writes
  /// other keys breaks Redis' own rule, and the other store lacks them.
  public static func eval(
    _ script: String,
    keys: [any StoreArgument] = [],
    arguments: [any StoreArgument] = []
  ) -> StoreCommand where Reply == RESPValue {
    StoreCommand(
      "EVAL",
      [script.argumentBytes, keys.count.argumentBytes] + keys.map(\.argumentBytes) + arguments.map(\.argumentBytes),
      decode: RESPValue.itself
    )
  }

  /// PUBLISH: sends a message to the subscribers of a channel. Returns the number of subscribers on the default store.
  public static func publish(
    _ channel: any StoreArgument,
    _ message: any StoreArgument
  ) -> StoreCommand where Reply == Int {
    StoreCommand("PUBLISH", [channel.argumentBytes, message.argumentBytes], decode: RESPValue.integer)
  }

  /// FLUSHDB: removes all keys of the database, on both stores while dual writes are on. Refused unless
  /// ``MultiStoreConfiguration/allowFlush`` is true.
  public static func flushdb() -> StoreCommand where Reply == Void {
    StoreCommand("FLUSHDB", [], decode: RESPValue.done)
  }

  /// PING: checks that the default store answers.
  public static func ping() -> StoreCommand where Reply == Void {
    StoreCommand("PING", [], decode: RESPValue.done)
  }
}
