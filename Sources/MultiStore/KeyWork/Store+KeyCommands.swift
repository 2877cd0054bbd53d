internal import Hiredis
internal import RESP

extension Store {
  /// Sends a command that names one key and nothing else, over the ordinary connection.
  func send(_ name: StaticString, _ key: [UInt8], to receiver: some ReplyReceiver, token: Int = 0) {
    var command = ByteBuffer()
    command.appendCommand(expecting: 2) { command in
      command.append(name)
      command.append(key.span)
    }
    ordinary.send(command.span, to: receiver, token: token)
  }
}
