internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import RESP

/// CLIENT UNBLOCK of a client that is blocked, as the sidecar sees it.
///
/// Its command may not have reached the store yet: the connection is being made, or the command waits for its keys. So
/// the store is asked again for as long as it does not know of the wait.
final class UnblockRequest: ReplyReceiver {
  /// The outcome of the request.
  enum Outcome {
    /// The wait has ended.
    case unblocked
    /// The client is not blocked, or its store did not get its command in time.
    case notBlocked
    /// The store does not tell the number of the client's connection.
    case impossible
    /// The store refused it, or did not answer.
    case error(String)
  }

  private static let interval = Duration.milliseconds(1)
  /// The longest time for which the store is asked: as long as it may take to make a connection on a busy machine.
  private static let patience: UInt64 = 5_000_000_000

  private let server: InstanceServer
  private let id: Int
  private let reason: String
  private let begunAt: UInt64
  /// The store that was asked last.
  private var role = StoreRole.secondary
  /// The next attempt. It retains the request until that is over.
  private var timer: LoopTimer?
  private let then: (Outcome) -> Void

  /// - Parameters:
  ///   - id: the sidecar's number of the client whose wait is to end.
  ///   - reason: `TIMEOUT` or `ERROR`.
  ///   - then: called once.
  init(of id: Int, in server: InstanceServer, reason: String, then: @escaping (Outcome) -> Void) {
    self.id = id
    self.server = server
    self.reason = reason
    begunAt = server.loop.now
    self.then = then
  }

  /// Asks the store, if the client waits on one. The request may be over when this returns.
  func attempt() {
    guard let blocked = server.client(id), blocked.isBlocked, let waitingRole = blocked.own.role,
      let connection = blocked.own.connection
    else {
      return end(.notBlocked)
    }
    guard let number = connection.clientID else {
      return connection.isReady ? end(.impossible) : attemptLater()
    }
    role = waitingRole
    let command = CommandWriter.command("CLIENT", "UNBLOCK", String(number), reason)
    blocked.database.store(role).ordinary.send(command.span, to: self, token: 0)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch reply.kind {
    case .integer where reply.integer == 0: attemptLater()
    case .integer: end(.unblocked)
    default: end(.error(String(decoding: reply.bytes.array, as: UTF8.self)))
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    end(.error(failure.clientError(store: role)))
  }

  private func attemptLater() {
    guard server.loop.now &- begunAt < Self.patience else { return end(.notBlocked) }
    let timer = timer ?? LoopTimer(on: server.loop) { self.attempt() }
    self.timer = timer
    timer.schedule(after: Self.interval)
  }

  private func end(_ outcome: Outcome) {
    timer?.close()
    timer = nil
    then(outcome)
  }
}
