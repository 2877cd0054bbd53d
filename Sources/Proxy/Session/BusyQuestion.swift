internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import RESP

/// Asks a store on which a script has been running for long whether it answers its clients with BUSY.
///
/// A store that does not answer in time counts as not busy: the sidecar does not depend on it. The connection retains
/// the question until the store has answered.
final class BusyQuestion: ReplyReceiver {
  /// The time to wait for the answer; a store that is busy answers immediately.
  private static let patience = Duration.milliseconds(250)

  /// Called once, with the store's error reply if it is busy.
  private var then: ((String?) -> Void)?
  private var timer: LoopTimer?

  init(to connection: HiredisConnection, on loop: EventLoop, then: @escaping (String?) -> Void) {
    self.then = then
    let timer = LoopTimer(on: loop) { [unowned self] in answer(nil) }
    self.timer = timer
    timer.schedule(after: Self.patience)
    let command = CommandWriter.command("PING")
    connection.send(command.span, to: self, token: 0)
  }

  deinit {
    timer?.close()
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    guard reply.kind == .error else { return answer(nil) }
    let errorReply = String(decoding: reply.bytes.array, as: UTF8.self)
    answer(ServerErrorCode(errorReply: errorReply) == .busy ? errorReply : nil)
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if case .busy(let errorReply) = failure { answer(errorReply) } else { answer(nil) }
  }

  private func answer(_ errorReply: String?) {
    timer?.close()
    timer = nil
    let then = then
    self.then = nil
    then?(errorReply)
  }
}

extension Session {
  /// Calls `answer` for a command that the sidecar answers itself, unless a script has been running for long and the
  /// default store is busy: then it calls `refuse` with the store's error.
  func answerUnlessStoreIsBusy(
    _ answer: @escaping (Session) -> Void,
    otherwise refuse: @escaping (Session, String) -> Void = { $0.refuseBusy($1) }
  ) {
    execute {
      _ = BusyQuestion(to: database.defaultStore.ordinary, on: server.loop) { [self] errorReply in
        if let errorReply { refuse(self, errorReply) } else { answer(self) }
        executionDidFinish()
      }
    }
  }

  /// Answers with the store's error, and aborts the transaction, as a server does.
  private func refuseBusy(_ errorReply: String) {
    transaction?.isRefused = true
    output.appendError(errorReply)
  }
}
