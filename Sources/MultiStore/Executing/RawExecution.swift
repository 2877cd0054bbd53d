internal import EventLoop
internal import Hiredis
internal import RESP

/// One command over a connection of its own, whose reply is passed on byte for byte: for replies that hiredis can't
/// read, and for commands that must not wait behind others because they end a script.
///
/// The database retains it until it is done, since no connection does.
final class RawExecution {
  /// The largest reply, in bytes: the default limit of a client's unread output.
  private static let longestReply = 256 << 20

  private let core: ExecutionCore
  private var connection: HiredisConnection?
  private var scanner = ReplyScanner()
  private var received = ByteBuffer()
  private var deadline: LoopTimer?

  init(_ core: ExecutionCore) {
    self.core = core
  }

  /// Executes the command of `batch` over a connection that nothing else uses.
  func start(_ batch: CommandBatch, routing: Routing, over connection: HiredisConnection, sink: any ReplySink) {
    self.connection = connection
    connection.pushReceiver = self
    connection.pushesBytes = true
    let writesToBoth = routing.isDual && batch.spec(0).effect == .copyKeys
    core.begin(batch, routing: routing, writesToBoth: writesToBoth, sink: sink)
  }

  /// Answers, and leaves the database at the end of the turn.
  private func finish() {
    core.end()
    deadline?.close()
    deadline = nil
    // The connection may be in the middle of a call to this object.
    core.database.loop.atEndOfTurn(self)
  }

  private func fail(_ failure: ConnectionFailure) {
    leaveConnection()
    core.answerWithDefaultStoreFailure(failure)
    finish()
  }

  private func complete(_ length: Int) {
    received.truncate(to: length)
    received.withSpan { core.sink?.output.append($0) }
    received.removeAll(keepingCapacityUpTo: 0)
    leaveConnection()
    guard core.writesToBoth else { return finish() }
    core.copyKeys(.all, of: 0, isOnOrdinary: false, for: self)
    if !core.isCopyingKeys { finish() }
  }

  private func leaveConnection() {
    deadline?.cancel()
    guard let connection else { return }
    connection.pushReceiver = nil
    core.defaultStore.closeDedicated(connection)
  }
}

extension RawExecution: KeyCopyWaiter {
  func keyCopyDidFinish(_ copy: KeyCopy) {
    core.keyCopyEnded()
    if !core.isCopyingKeys { finish() }
  }
}

extension RawExecution: PushReceiver {
  func pushConnectionDidBecomeReady(_ connection: HiredisConnection) {
    if let timeout = core.defaultStore.ordinary.limits.commandTimeout {
      deadline = LoopTimer(on: core.database.loop) { [unowned self] in fail(.timedOut) }
      deadline?.schedule(after: timeout)
    }
    _ = core.batch.withCommand(0) { connection.push($0) }
  }

  func pushConnection(_ connection: HiredisConnection, didReceive bytes: Span<UInt8>) {
    received.append(bytes)
    guard received.count <= Self.longestReply else {
      return fail(.connectionLost(reason: "the reply is larger than \(Self.longestReply) bytes"))
    }
    switch received.withSpan({ scanner.scan($0) }) {
    case .needsMore: return
    case .complete(let length): complete(length)
    case .malformed: fail(.connectionLost(reason: "the store's reply is malformed"))
    }
  }

  func pushConnection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason) {
    fail(ConnectionFailure(reason))
  }
}

extension RawExecution: EndOfTurnWorker {
  func endOfTurn() {
    connection = nil
    core.database.rawExecutions[ObjectIdentifier(self)] = nil
  }
}
