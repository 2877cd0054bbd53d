internal import Hiredis
internal import RESP

extension ByteBuffer {
  /// A command about one key: its names, the key, and the arguments after it.
  static func command(_ names: [StaticString], _ key: [UInt8], _ arguments: [[UInt8]] = []) -> ByteBuffer {
    var command = ByteBuffer()
    command.appendCommand(expecting: names.count + 1 + arguments.count) { command in
      for name in names { command.append(name) }
      command.append(key.span)
      for argument in arguments { command.append(argument.span) }
    }
    return command
  }

  /// RESTORE of a dump of `key`, which expires at `deadline` in Unix milliseconds; 0 for never.
  static func restore(_ key: [UInt8], _ dump: Span<UInt8>, deadline: Int, replaces: Bool) -> ByteBuffer {
    var command = ByteBuffer(minimumCapacity: dump.count + key.count + 128)
    command.appendCommand(expecting: replaces ? 6 : 5) { command in
      command.append("RESTORE")
      command.append(key.span)
      command.append(decimal: deadline)
      command.append(dump)
      if replaces { command.append("REPLACE") }
      command.append("ABSTTL")
    }
    return command
  }
}

extension Store {
  /// Sends a command that names one key and nothing else, over the ordinary connection.
  func send(_ name: StaticString, _ key: [UInt8], to receiver: some ReplyReceiver, token: Int = 0) {
    ordinary.send(ByteBuffer.command([name], key).span, to: receiver, token: token)
  }
}
