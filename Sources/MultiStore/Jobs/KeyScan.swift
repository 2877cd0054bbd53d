internal import Hiredis
internal import RESP

/// Asks a store for one page of its keys, with SCAN. Loop-confined; the store's connection retains it.
final class KeyScan: ReplyReceiver {
  /// The answer to a question.
  enum Answer {
    /// Keys, perhaps none, and the cursor of the next page; `0` after the last one.
    case page([[UInt8]], next: [UInt8])
    /// The store did not answer, or is not ready.
    case failed
    /// It refuses the command, in its own words.
    case refused(String)
  }

  /// The cursor of the first page, and of the end.
  static let start: [UInt8] = [UInt8(ascii: "0")]

  private let then: (Answer) -> Void

  private init(then: @escaping (Answer) -> Void) {
    self.then = then
  }

  /// - Parameters:
  ///   - count: the number of keys that the store looks at, roughly.
  ///   - then: called once, not before this call returns.
  static func send(
    to store: Store,
    cursor: [UInt8],
    _ request: KeyJobRequest,
    count: Int,
    then: @escaping (Answer) -> Void
  ) {
    var words = 4
    if request.pattern != nil { words += 2 }
    if request.type != nil { words += 2 }
    var command = ByteBuffer()
    command.appendCommand(expecting: words) { command in
      command.append("SCAN")
      command.append(cursor.span)
      if let pattern = request.pattern {
        command.append("MATCH")
        command.append(text: pattern)
      }
      if let type = request.type {
        command.append("TYPE")
        command.append(text: type)
      }
      command.append("COUNT")
      command.append(decimal: count)
    }
    store.ordinary.send(command.span, to: KeyScan(then: then), token: 0)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    if reply.kind == .error {
      switch reply.knownErrorCode {
      case .busy, .loading: return then(.failed)
      default: return then(.refused(String(decoding: reply.bytes.array, as: UTF8.self)))
      }
    }
    guard reply.count == 2 else { return then(.failed) }
    let found = reply[1]
    var keys: [[UInt8]] = []
    keys.reserveCapacity(found.count)
    for index in 0..<found.count { keys.append(found[index].bytes.array) }
    then(.page(keys, next: reply[0].bytes.array))
  }

  func receive(failure: ConnectionFailure, token: Int) { then(.failed) }
}
