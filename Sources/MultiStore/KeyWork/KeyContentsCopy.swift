internal import EventLoop
internal import Hiredis
internal import RESP

/// Copies one key as the commands that make it, for a server that can't read the other one's dumps; see
/// ``KeyContents``. Loop-confined; the stores' connections retain it.
///
/// The question is ordered with the other commands of the source's ordinary connection, as DUMP is. The answer is
/// stored at once, as RESTORE does it: in a transaction, or in a script that looks for the key first.
final class KeyContentsCopy: ReplyReceiver {
  private static let contentsToken = 0
  private static let openToken = 1
  private static let execToken = 2
  private static let scriptToken = 3

  private let key: [UInt8]
  private let source: Store
  private let target: Store
  private let replaces: Bool
  private let obstacle: () -> KeyCopyOutcome?
  private let then: (KeyCopyState.Contents) -> Void
  /// The time that the stores get for it, if it is large.
  private var time = LargeKeyTime()

  private init(
    _ key: [UInt8],
    from source: Store,
    to target: Store,
    replaces: Bool,
    obstacle: @escaping () -> KeyCopyOutcome?,
    then: @escaping (KeyCopyState.Contents) -> Void
  ) {
    self.key = key
    self.source = source
    self.target = target
    self.replaces = replaces
    self.obstacle = obstacle
    self.then = then
  }

  /// - Parameters:
  ///   - bytes: the key's size in the source's memory.
  ///   - replaces: whether a value of the target's is replaced; otherwise it stays.
  ///   - obstacle: called once the contents have arrived: the result if they are not to be stored any more.
  ///   - then: called once.
  static func begin(
    _ key: [UInt8],
    bytes: Int,
    from source: Store,
    to target: Store,
    replaces: Bool,
    obstacle: @escaping () -> KeyCopyOutcome?,
    then: @escaping (KeyCopyState.Contents) -> Void
  ) {
    KeyContentsCopy(key, from: source, to: target, replaces: replaces, obstacle: obstacle, then: then).begin(bytes)
  }

  private func begin(_ bytes: Int) {
    let key = key
    var question = ByteBuffer()
    KeyContents.appendQuestion(about: key.span, to: &question)
    time.begin(bytes: bytes, on: source.ordinary)
    source.ordinary.send(question.span, to: self, token: Self.contentsToken)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    if token == Self.openToken { return }  // OK and QUEUED; a refusal shows in EXEC's reply
    time.end()
    switch token {
    case Self.contentsToken: received(reply)
    case Self.execToken:
      if let failure = KeyContents.failure(reply) { then(.refused(failure.ofTarget)) } else { then(.ended(.stored)) }
    default:
      guard reply.kind == .integer else { return then(.refused(CopyFailure(reply).ofTarget)) }
      then(.ended(reply.integer == 1 ? .stored : .unneeded))
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if token == Self.openToken { return }  // EXEC fails as well
    time.end()
    let failure = CopyFailure(failure)
    then(.unanswered(token == Self.contentsToken ? failure : failure.ofTarget))
  }

  private func received(_ contents: borrowing Reply) {
    if let outcome = obstacle() { return then(.ended(outcome)) }
    if contents.kind == .error { return then(.refused(CopyFailure(contents))) }
    guard KeyContents.areCommands(contents, about: key) else {
      return then(.refused(CopyFailure(senselessReplyOf: source.role)))
    }
    // The first command is a DEL.
    guard contents.count > 1 else { return then(.ended(.missing)) }
    if replaces { storeInTransaction(contents) } else { storeByScript(contents) }
  }

  /// Sends the commands that `contents` consists of, between MULTI and EXEC.
  private func storeInTransaction(_ contents: borrowing Reply) {
    let connection = target.ordinary
    var commands = ByteBuffer()
    var ends: [Int] = []
    for index in 0..<contents.count {
      contents[index].encode(into: &commands)
      ends.append(commands.count)
    }
    guard mayStore(commands: ends.count + 2, bytes: commands.count + 64) else { return }
    let (multi, exec) = (PipelineExecution.multi, PipelineExecution.exec)
    connection.send(multi.span, to: self, token: Self.openToken)
    var start = 0
    for end in ends {
      connection.send(commands.span.extracting(start..<end), to: self, token: Self.openToken)
      start = end
    }
    connection.send(exec.span, to: self, token: Self.execToken)
  }

  /// Has the target execute the commands unless it has the key.
  private func storeByScript(_ contents: borrowing Reply) {
    guard KeyContents.fitsScript(contents) else {
      return then(.refused(CopyFailure(tooLargeFor: target.role).ofTarget))
    }
    let key = key
    var command = ByteBuffer()
    KeyContents.appendStoring(contents, as: key.span, to: &command)
    guard mayStore(commands: 1, bytes: command.count) else { return }
    target.ordinary.send(command.span, to: self, token: Self.scriptToken)
  }

  /// Begins the time of the target. Ends the copy if there is no room for its commands.
  private func mayStore(commands: Int, bytes: Int) -> Bool {
    let connection = target.ordinary
    guard connection.hasRoom(commands: commands, bytes: bytes) else {
      then(.refused(CopyFailure(.queueFull(limit: connection.limits.maxQueuedCommands)).ofTarget))
      return false
    }
    time.begin(bytes: bytes, on: connection)
    return true
  }
}
