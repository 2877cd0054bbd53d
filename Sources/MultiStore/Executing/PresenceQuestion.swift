internal import RESP

/// Asks a store how many of a command's keys it has.
enum PresenceQuestion {
  /// Writes EXISTS with the keys of `command` into `output`, which is emptied first.
  ///
  /// - Returns: the number of keys that the command names; with none the question can't be asked.
  static func write(about command: Span<UInt8>, _ spec: CommandSpec, into output: inout ByteBuffer) -> Int {
    output.removeAll()
    return output.appendCommand(expecting: 2) { question in
      var keyCount = 0
      question.append("EXISTS")
      spec.forEachKey(ofCommand: command) {
        keyCount += 1
        question.append($0)
      }
      return keyCount
    }
  }
}
