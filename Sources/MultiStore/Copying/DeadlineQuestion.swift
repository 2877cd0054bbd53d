internal import Hiredis
internal import RESP

/// Asks the default store when a key expires, right behind the command that gave it a relative time to live: the other
/// store then gets exactly that deadline.
enum DeadlineQuestion {
  /// Sends PEXPIRETIME for the first key of the command at `index`.
  static func send(
    about batch: CommandBatch,
    _ index: Int,
    over connection: HiredisConnection,
    to receiver: any ReplyReceiver,
    token: Int
  ) {
    var question = ByteBuffer()
    question.appendCommand(expecting: 2) { question in
      question.append("PEXPIRETIME")
      var isFirst = true
      batch.withCommand(index) { command in
        batch.spec(index).forEachKey(ofCommand: command) { key in
          if isFirst { question.append(key) }
          isFirst = false
        }
      }
    }
    connection.send(question.span, to: receiver, token: token)
  }

  /// The deadline in Unix milliseconds; nil if the key has none, is gone already, or the store refused to answer.
  static func answer(_ reply: borrowing Reply) -> Int? {
    reply.kind == .integer && reply.integer > 0 ? reply.integer : nil
  }
}
