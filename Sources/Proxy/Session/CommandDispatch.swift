internal import MultiStore
internal import RESP

/// Decides the way of a command: from its entry in the command table, its class, the routing and the facts of its
/// session.
///
/// It sends nothing and reads no other state. ``Session`` takes the way as soon as the commands before it permit.
/// Whether the command is refused is decided before, since that may depend on its arguments.
enum CommandDispatch {
  /// The facts of a session that decide the way of its next command.
  struct Facts {
    /// Whether the client has logged in, or need not.
    var isLoggedIn = true
    /// Whether the command is between MULTI and EXEC.
    var isInTransaction = false
    /// Whether the client is in a server's subscriber mode.
    var isSubscribed = false
    /// Whether the session's own connection watches keys.
    var isWatching = false
    /// Whether a flip waits until no client watches keys, and this client does.
    var flipAwaitsWatch = false
    /// Whether the instance has two stores. Matters only to commands that iterate.
    var hasPrimary = false
    /// Whether the reply may be nested deeper than hiredis can read. Matters only to scripts and unlisted commands.
    var hasDeepReply = false
    /// Whether the command is a script that both stores execute.
    var runsOnBoth = false
    /// Whether the default store's kind of server asks for the login before it looks at the command.
    var asksForLoginFirst = false
    /// Whether the command waits for keys that are stale on the default store, or not there yet.
    var awaitsKeys = false
  }

  /// The way of a command that a client sends after its login, outside of transactions and subscriptions.
  enum Way: Equatable {
    /// A pipeline that both stores execute.
    case pipeline
    /// Forwarded over the default store's ordinary connection, which all clients share.
    case ordinary
    /// Forwarded over the session's own connection, which watches keys.
    case watching
    /// Executed alone, so that no other command waits for its keys: over the default store's ordinary connection, or
    /// the session's own that watches keys.
    case awaiting(isWatching: Bool)
    /// Executed alone: the page comes from the store that gave the cursor, whatever the flags say.
    case page
    /// Over the default store's isolated connection, or the one that watches; executed alone if it has an effect that
    /// is copied, or that a flip must wait for, and forwarded otherwise.
    case isolated(executesAlone: Bool)
    /// Over the session's own connection, which executes no other command meanwhile.
    case dedicated(executesAlone: Bool)
    /// Over the session's own connection, where it waits for other clients and moves with the default store.
    case blocking
    /// Over a new connection, for this command alone, that hiredis does not read.
    case raw
    /// The session answers it itself; see ``Answer``.
    case answered
    /// None yet: the watch ends first, and the command waits for the flip.
    case endOfWatch
  }

  /// The answers that a session gives by itself.
  enum Answer: Equatable {
    /// With an error: the client has to log in first.
    case notLoggedIn
    /// With an error: no server knows the command.
    case unknown
    case quit
    case reset
    /// Like a server in subscriber mode.
    case subscriber
    /// With EXECABORT: an EXEC with arguments.
    case malformedExec
    /// With QUEUED, or an error that aborts the transaction.
    case queued
    /// With an error: too many arguments, or too few.
    case wrongNumberOfArguments
    /// MULTI, EXEC, DISCARD, WATCH and UNWATCH.
    case transaction
    /// The beginning or the end of a subscription.
    case subscription
    /// A command about the client's own connection.
    case connection
  }

  /// Returns the way of a command that is not refused. The client has logged in, and is neither in a transaction nor in
  /// subscriber mode.
  ///
  /// - Parameter commandClass: The class of the whole command, which may depend on its options.
  @inline(__always)
  static func way(of spec: CommandSpec, _ commandClass: CommandClass, routing: Routing, _ facts: Facts) -> Way {
    if spec.traits.contains(.iterates), facts.hasPrimary { return .page }
    switch commandClass {
    case .read, .keyspaceRead:
      // Another store's reply may be older than the watched keys.
      if facts.awaitsKeys { return .awaiting(isWatching: facts.isWatching) }
      if facts.isWatching { return .watching }
      return routing.isDual ? .pipeline : .ordinary
    case .write:
      if facts.awaitsKeys { return .awaiting(isWatching: false) }
      return routing.isDual ? .pipeline : .ordinary
    case .connection, .transaction: return .answered
    case .pubsub: return facts.flipAwaitsWatch ? .endOfWatch : .answered
    case .blocking: return facts.flipAwaitsWatch ? .endOfWatch : .blocking
    case .script where facts.runsOnBoth: return facts.awaitsKeys ? .awaiting(isWatching: false) : .pipeline
    case .script, .unlisted:
      if facts.hasDeepReply || spec.traits.contains(.answeredWhileBusy) { return .raw }
      let executesAlone = facts.isWatching || facts.awaitsKeys || routing.isDual && spec.effect != .none
      return spec.traits.contains(.blocks)
        ? .dedicated(executesAlone: executesAlone) : .isolated(executesAlone: executesAlone)
    }
  }

  /// Returns the answer to a command that goes to no store, or not yet.
  static func answer(to spec: CommandSpec, argumentCount: Int, _ facts: Facts) -> Answer {
    let isOpenToAll = spec.id == .auth || spec.id == .hello || spec.id == .quit || spec.id == .reset
    guard facts.isLoggedIn || isOpenToAll else { return answerToStranger(spec, argumentCount: argumentCount, facts) }
    if spec.id == .quit { return .quit }
    if spec.id == .reset, argumentCount == 1 { return .reset }
    if facts.isSubscribed { return .subscriber }
    if spec.id == .exec, argumentCount != 1 { return .malformedExec }
    let isAccepted = spec.accepts(argumentCount: argumentCount)
    let isQueued = spec.commandClass != .transaction || spec.id == .unwatch
    if facts.isInTransaction, isQueued || !isAccepted { return .queued }
    guard isAccepted else { return .wrongNumberOfArguments }
    switch spec.commandClass {
    case .transaction: return .transaction
    case .pubsub: return .subscription
    case .read, .keyspaceRead, .write, .blocking, .connection, .script, .unlisted: return .connection
    }
  }

  /// Returns the error for a client that would have to log in first.
  private static func answerToStranger(_ spec: CommandSpec, argumentCount: Int, _ facts: Facts) -> Answer {
    if facts.asksForLoginFirst { return .notLoggedIn }
    if spec.isUnknown(argumentCount: argumentCount) { return .unknown }
    if spec.accepts(argumentCount: argumentCount) { return .notLoggedIn }
    return spec.id == .exec ? .malformedExec : .wrongNumberOfArguments
  }
}

extension CommandSpec {
  /// Whether no server knows the command, or the subcommand.
  func isUnknown(argumentCount: Int) -> Bool {
    id == .other || traits.contains(.hasSubcommands) && argumentCount > 1
  }
}
