internal import Hiredis
internal import RESP

/// Asks the default store when a key, or fields of a hash, expire, right behind the command that gave them a relative
/// time to live: the other store then gets exactly that deadline.
enum DeadlineQuestion {
  /// The default store's answer.
  enum Answer: Equatable {
    /// The deadline in Unix milliseconds.
    case at(Int)
    /// The fields have more than one: a condition let some keep theirs, or a later command of the batch changed some.
    case several
    /// There is none, the key or its fields are gone already, or the store refused to answer.
    case unknown
  }

  /// Sends the question about the command at `index`.
  static func send(
    about batch: CommandBatch,
    _ index: Int,
    over connection: HiredisConnection,
    to receiver: any ReplyReceiver,
    token: Int
  ) {
    var question = ByteBuffer()
    append(about: batch, index, to: &question)
    connection.send(question.span, to: receiver, token: token)
  }

  /// Interprets the reply to the question.
  static func answer(_ reply: borrowing Reply) -> Answer {
    if reply.kind == .integer { return reply.integer > 0 ? .at(reply.integer) : .unknown }
    var answer = Answer.unknown
    for index in 0..<reply.count where reply[index].integer > 0 {
      let deadline = Answer.at(reply[index].integer)
      guard answer == .unknown || answer == deadline else { return .several }
      answer = deadline
    }
    return answer
  }

  private static func append(about batch: CommandBatch, _ index: Int, to question: inout ByteBuffer) {
    let spec = batch.spec(index)
    batch.withCommand(index) { command in
      switch spec.effect {
      case .hexpire, .hpexpire, .hgetex: appendFields(of: command, every: 1, to: &question)
      case .hsetex: appendFields(of: command, every: 2, to: &question)
      default: appendKey(of: command, spec, to: &question)
      }
    }
  }

  /// PEXPIRETIME of the first key.
  private static func appendKey(of command: Span<UInt8>, _ spec: CommandSpec, to question: inout ByteBuffer) {
    question.appendCommand(expecting: 2) { question in
      question.append("PEXPIRETIME")
      var isFirst = true
      spec.forEachKey(ofCommand: command) { key in
        if isFirst { question.append(key) }
        isFirst = false
      }
    }
  }

  /// … key … FIELDS n field … → HPEXPIRETIME key FIELDS n field …, where each field comes with as many arguments as
  /// `step` says. The server answers an error to what becomes of a malformed command, as to that itself.
  private static func appendFields(of command: Span<UInt8>, every step: Int, to question: inout ByteBuffer) {
    var arguments = ArgumentCursor(command)
    question.appendCommand(expecting: arguments.count) { question in
      question.append("HPEXPIRETIME")
      var firstField: Int?
      while let argument = arguments.next() {
        let index = arguments.index - 1
        if let firstField {
          // Their number comes before the fields.
          if index < firstField || (index - firstField) % step == 0 { question.append(argument) }
        } else if index == 1 {
          question.append(argument)
        } else if index > 1, argument.isKeyword("FIELDS") {
          question.append(argument)
          firstField = index + 2
        }
      }
    }
  }
}
