internal import Hiredis
internal import RESP

/// Asks a store the same question about several keys. Loop-confined; the store's connection retains it.
final class KeyQuestions: ReplyReceiver {
  private var answers: [Int?]
  private var left: Int
  private let then: ([Int?]) -> Void

  private init(_ count: Int, then: @escaping ([Int?]) -> Void) {
    answers = Array(repeating: nil, count: count)
    left = count
    self.then = then
  }

  /// - Parameters:
  ///   - keys: at least one.
  ///   - words: the command's words before the key.
  ///   - then: called once, with an integer for each key, or nil where the store did not answer with one.
  static func ask(_ store: Store, _ words: [String], about keys: [[UInt8]], then: @escaping ([Int?]) -> Void) {
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
    if reply.kind == .integer { answers[token] = reply.integer }
    answered()
  }

  func receive(failure: ConnectionFailure, token: Int) { answered() }

  private func answered() {
    left -= 1
    if left == 0 { then(answers) }
  }
}
