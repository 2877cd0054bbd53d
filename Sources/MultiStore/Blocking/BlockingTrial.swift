internal import Hiredis
internal import RESP

/// The trial of a blocking command whose effect is copied: it is sent on the ordinary connection first, between MULTI
/// and EXEC, where it does not block. An element that it finds there is taken in the order of all other writes. If
/// there is none, the command waits on a connection of its own.
///
/// XREADGROUP has no trial: its keys are copied whole after it in any case, so its order among other writes does not
/// matter. Another client's command could change the key between a trial and the wait, and the client would not be
/// notified.
enum BlockingTrial {
  /// The token of EXEC's reply.
  static let token = 32
  /// The token of the replies to MULTI and to the command, which are ignored: a refusal shows in EXEC's reply.
  static let openToken = 33

  /// Sends the command of `core`, if it may block and its effect is copied by a command.
  ///
  /// - Returns: false if it was not sent: nothing is to be tried, or there is no room.
  static func begin(_ core: ExecutionCore, for receiver: some ReplyReceiver) -> Bool {
    let spec = core.batch.spec(0)
    guard core.routing.isDual, spec.traits.mayBlock, spec.effect != .none, spec.effect != .copyKeys else {
      return false
    }
    let ordinary = core.ordinary
    guard ordinary.isReady, ordinary.hasRoom(commands: 3, bytes: core.batch.byteCount + 64) else { return false }
    let (multi, exec) = (PipelineExecution.multi, PipelineExecution.exec)
    ordinary.send(multi.span, to: receiver, token: openToken)
    core.batch.withCommand(0) { ordinary.send($0, to: receiver, token: openToken) }
    ordinary.send(exec.span, to: receiver, token: token)
    return true
  }

  /// Whether `reply` to EXEC has an element for the command, or another reply than nil.
  static func hasServed(_ reply: borrowing Reply) -> Bool {
    reply.kind == .array && reply.count == 1 && reply[0].kind != .nil
  }

  /// Whether `reply` to EXEC says that there was no element for the command. The store may also have refused the trial.
  static func foundNothing(_ reply: borrowing Reply) -> Bool {
    reply.kind == .array && reply.count == 1 && reply[0].kind == .nil
  }
}
