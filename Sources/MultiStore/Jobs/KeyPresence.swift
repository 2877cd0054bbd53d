internal import Hiredis
internal import RESP

/// Asks a store which of several keys it has: by one count for all of them, and one by one if it has only some.
/// Loop-confined; the store's connection retains it.
final class KeyPresence: ReplyReceiver {
  private let store: Store
  private let keys: [[UInt8]]
  private let then: ([KeyAnswer]) -> Void

  private init(_ store: Store, _ keys: [[UInt8]], then: @escaping ([KeyAnswer]) -> Void) {
    self.store = store
    self.keys = keys
    self.then = then
  }

  /// - Parameters:
  ///   - keys: at least one.
  ///   - then: called once, with 1 for each key that is there and 0 for others.
  static func ask(_ store: Store, about keys: [[UInt8]], then: @escaping ([KeyAnswer]) -> Void) {
    var command = ByteBuffer()
    command.appendCommand(expecting: 1 + keys.count) { command in
      command.append("EXISTS")
      for key in keys { command.append(key.span) }
    }
    store.ordinary.send(command.span, to: KeyPresence(store, keys, then: then), token: 0)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch (reply.kind, reply.integer) {
    case (.integer, 0): then(Array(repeating: .number(0), count: keys.count))
    case (.integer, keys.count): then(Array(repeating: .number(1), count: keys.count))
    default: KeyQuestions.ask(store, ["EXISTS"], about: keys, then: then)
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    then(Array(repeating: .failed(CopyFailure(failure)), count: keys.count))
  }
}
