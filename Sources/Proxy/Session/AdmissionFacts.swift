internal import RESP

/// The facts of a session that decide whether a server would begin to execute its next command. A command that it would
/// not is neither held by a pause nor shown to clients that monitor (looked up in Redis 7.0.15 and tried on Valkey
/// 9.1).
struct AdmissionFacts {
  /// Whether the client has logged in, or need not.
  var isLoggedIn = true
  /// Whether the command is between MULTI and EXEC.
  var isInTransaction = false
  /// Whether one of the commands since MULTI may write.
  var transactionMayReplicate = false
  /// Whether the client is in a server's subscriber mode.
  var isSubscribed = false
  /// Whether the client monitors commands.
  var isMonitoring = false
  /// The default store's dialect.
  var dialect: ServerDialect = []

  /// Whether the command gets an error before it would be executed or queued.
  func refuses(_ spec: CommandSpec, argumentCount: Int) -> Bool {
    if !spec.accepts(argumentCount: argumentCount) { return true }
    // An unknown command is sent to the store, which alone can tell.
    if spec.id != .other, spec.isUnknown(argumentCount: argumentCount) { return true }
    let isOpenToAll = spec.id == .auth || spec.id == .hello || spec.id == .quit || spec.id == .reset
    if !isLoggedIn, !isOpenToAll { return true }
    if isInTransaction, spec.id == .other || spec.isRefusedInTransactions(in: dialect) { return true }
    let isForSubscribers = spec.commandClass == .pubsub || [.ping, .quit, .reset].contains(spec.id)
    if isSubscribed, !isForSubscribers { return true }
    return isMonitoring && spec.reachesKeys
  }

  /// Whether the command is executed when its turn comes, instead of being queued or getting an error.
  func executes(_ spec: CommandSpec, argumentCount: Int) -> Bool {
    // A server shows EXEC whatever becomes of it, so that the end of the transaction is seen.
    if spec.id == .exec { return true }
    guard !refuses(spec, argumentCount: argumentCount) else { return false }
    let isQueued = spec.commandClass != .transaction && spec.id != .quit && spec.id != .reset || spec.id == .unwatch
    return !isInTransaction || !isQueued
  }
}

extension CommandSpec {
  /// Whether a server refuses the command in a transaction, whatever its arguments, and aborts the transaction.
  func isRefusedInTransactions(in dialect: ServerDialect) -> Bool {
    if traits.contains(.refusedInTransactions) { return true }
    return switch id {
    case .multi, .watch: dialect.contains(.refusesNesting)
    case .clientReply: dialect.contains(.namesCommandRefusedInTransaction)
    default: false
    }
  }
}
