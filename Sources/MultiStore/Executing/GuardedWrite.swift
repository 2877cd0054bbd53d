internal import CoreMetrics
internal import Hiredis
internal import RESP

/// One write that changes a part of its keys, in the third state: the default store executes it through the
/// ``ExactGuard``, if it has the keys. If it lacks one, a ``KeyArrival`` moves that key and executes the command;
/// otherwise a ``DualWrite`` continues with the reply.
final class GuardedWrite: PooledExecution, ReplyReceiver {
  private let core: ExecutionCore
  private var call = ByteBuffer()

  var defaultRole: StoreRole { core.defaultRole }

  init(_ core: ExecutionCore) {
    self.core = core
  }

  /// Whether the write of `batch` can be guarded.
  ///
  /// A relative time to live rules it out: the deadline has to be asked for right behind the command, and if the guard
  /// skipped the command the answer would not be about it.
  static func isPossible(_ batch: CommandBatch, in database: Database) -> Bool {
    let spec = batch.spec(0)
    return batch.withCommand(0) { command in
      spec.commandClass(ofCommand: command) == .write && CopyPlanner.changesPart(command, spec)
        && !CopyPlanner.setsRelativeExpiry(spec.effect, command) && ExactGuard.isPossible(command, spec)
        && !database.secondary.lacksWrites(of: command, spec)
    }
  }

  func start(_ batch: consuming CommandBatch, routing: Routing, sink: any ReplySink) {
    core.begin(batch, routing: routing, writesToBoth: true, sink: sink)
    let connection = core.ordinary
    core.batch.withCommand(0) { ExactGuard.wrap($0, core.batch.spec(0), into: &call) }
    if let failure = core.refusal(by: core.defaultStore, over: connection, bytes: call.count) {
      return receive(failure: failure, token: 0)
    }
    call.withSpan { connection.send($0, to: self, token: 0) }
  }

  /// Answers, and gives the execution back for reuse. Nothing may use the execution afterwards.
  private func finish() {
    core.end()
    call.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    core.database.pools.guardedWrites.recycle(self)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    if ExactGuard.wasSkipped(reply) {
      if ExactGuard.isMissing(reply) {
        let load = CommandWriter.command(ExactGuard.load)
        core.ordinary.send(load.span, to: DiscardedReplies.shared, token: 0)
      }
      moveKeys()
    } else {
      let write = core.database.pools.dualWrites.take(for: core.defaultRole, in: core.database)
      write.takeOver(from: core, after: reply, over: core.ordinary)
    }
    finish()
  }

  func receive(failure: ConnectionFailure, token: Int) {
    core.answerWithDefaultStoreFailure(failure)
    finish()
  }

  private func moveKeys() {
    guard let sink = core.takeSink() else { return }
    let moved = core.database.makeBatch()
    moved.swapCommands(with: core.batch)
    KeyArrival(of: moved, to: .batch(.single, over: nil), routing: core.routing, in: core.database, for: sink).begin()
  }
}
