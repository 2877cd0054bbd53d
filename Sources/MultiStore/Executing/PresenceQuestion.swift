internal import RESP

/// Asks a store how many of a command's keys it has.
enum PresenceQuestion {
  /// Writes EXISTS with the keys of `command` into `output`, which is emptied first.
  ///
  /// - Returns: how many keys the command names; with none the question can't be asked.
  static func write(about command: Span<UInt8>, _ spec: CommandSpec, into output: inout ByteBuffer) -> Int {
    var keyCount = 0
    spec.forEachKey(ofCommand: command) { _ in keyCount += 1 }
    output.removeAll()
    output.appendArrayHeader(1 + keyCount)
    output.appendBulk("EXISTS")
    spec.forEachKey(ofCommand: command) { output.appendBulk($0) }
    return keyCount
  }
}
