internal import Hiredis
internal import RESP

/// Asks a store the same question about several keys. Loop-confined; the store's connection retains it.
final class KeyQuestions: ReplyReceiver {
  private var answers: [KeyAnswer?]
  private var left: Int
  private let then: ([KeyAnswer]) -> Void

  private init(_ count: Int, then: @escaping ([KeyAnswer]) -> Void) {
    answers = Array(repeating: nil, count: count)
    left = count
    self.then = then
  }

  /// - Parameters:
  ///   - keys: at least one.
  ///   - words: the command's words before the key.
  ///   - then: called once, with the answer about each key; a missing one has the number 0.
  static func ask(_ store: Store, _ words: [String], about keys: [[UInt8]], then: @escaping ([KeyAnswer]) -> Void) {
    let questions = KeyQuestions(keys.count, then: then)
    var command = ByteBuffer()
    for (token, key) in keys.enumerated() {
      command.removeAll(keepingCapacityUpTo: .max)
      command.appendCommand(expecting: words.count + 1) { command in
        for word in words { command.append(text: word) }
        command.append(key.span)
      }
      store.ordinary.send(command.span, to: questions, token: token)
    }
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    answered(token, reply.kind == .error ? .failed(CopyFailure(reply)) : .number(reply.integer))
  }

  func receive(failure: ConnectionFailure, token: Int) { answered(token, .failed(CopyFailure(failure))) }

  private func answered(_ token: Int, _ answer: KeyAnswer) {
    answers[token] = answer
    left -= 1
    if left == 0 { then(answers.compactMap(\.self)) }
  }
}
