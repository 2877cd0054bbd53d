internal import RESP

extension ByteBuffer {
  /// Appends the call of a guard's script for `command`: its keys, then the argument that `setting` appends, then the
  /// command itself.
  ///
  /// - Parameters:
  ///   - digest: the SHA-1 of the script.
  ///   - setting: appends one argument; it receives the number of keys.
  mutating func appendGuardCall(
    of digest: StaticString,
    for command: Span<UInt8>,
    _ spec: CommandSpec,
    _ setting: (_ keyCount: Int, _ call: inout CommandWriter) -> Void
  ) {
    var arguments = ArgumentCursor(command)
    var keyCount = 0
    spec.forEachKey(ofCommand: command) { _ in keyCount += 1 }
    appendCommand(expecting: 4 + keyCount + arguments.count) { call in
      call.append("EVALSHA")
      call.append(digest)
      call.append(decimal: keyCount)
      spec.forEachKey(ofCommand: command) { call.append($0) }
      setting(keyCount, &call)
      while let argument = arguments.next() { call.append(argument) }
    }
  }
}
