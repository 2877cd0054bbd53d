internal import Hiredis
internal import MultiStore
internal import RESP

/// Asks a store on which a script has been running for long whether it is busy: then it would not have queued a
/// command either, and its client's transaction is aborted, as on a server.
///
/// The connection retains it until the store has answered, and it retains the session.
final class QueueQuestion: ReplyReceiver {
  private let session: Session

  init(for session: Session) {
    self.session = session
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    if reply.kind == .error {
      session.transaction?.isRefused = true
      reply.encode(into: &session.output)
    } else {
      session.output.appendStatus("QUEUED")
    }
    session.executionDidFinish()
  }

  func receive(failure: ConnectionFailure, token: Int) {
    session.transaction?.isRefused = true
    session.output.appendError(session.clientError(failure, over: session.database.defaultStore.ordinary))
    session.executionDidFinish()
  }
}

extension Session {
  /// Answers a command that was added to the transaction as soon as the store is known to be busy, or not.
  func askWhetherStoreIsBusy() {
    let command = CommandWriter.command("PING")
    execute { database.defaultStore.ordinary.send(command.span, to: QueueQuestion(for: self), token: 0) }
  }
}
