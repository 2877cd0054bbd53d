internal import RESP

// A call is not cancelled with its task: a command that was sent can't be taken back, and an error that says
// "cancelled" would hide whether it was executed. Every call ends within the stores' connect and command timeouts.

/// Sending commands.
extension MultiStoreClient {
  /// Executes a typed command.
  ///
  /// ```swift
  /// let visits = try await sessions.send(.incr("visits"))
  /// ```
  ///
  /// The call continues when its task is cancelled: a command that was sent to a store can't be taken back.
  ///
  /// - Returns: the default store's reply, or the reply that the read policy selects.
  /// - Throws: ``MultiStoreError``; with code `errorReply` when the store refused the command.
  @discardableResult
  public func send<Reply>(_ command: StoreCommand<Reply>) async throws(MultiStoreError) -> Reply {
    let commands = [try ClientCommand(command.arguments)]
    let replies = try await execute(commands, isTransaction: false)
    if let failure = replies.failures[0] { throw failure }
    return try command.value(of: try replies.decoded(count: 1)[0])
  }

  /// Executes any command by its name.
  ///
  /// ```swift
  /// let encoding = try await sessions.send("OBJECT", "ENCODING", "user:1")
  /// ```
  ///
  /// - Returns: the reply as it is; null is `RESPValue.null`.
  /// - Throws: as ``send(_:)``: an error reply is thrown, not returned.
  @discardableResult
  public func send(_ name: String, _ arguments: any StoreArgument...) async throws(MultiStoreError) -> RESPValue {
    try await send(StoreCommand(name, arguments.map(\.argumentBytes), decode: RESPValue.itself))
  }

  /// Executes several commands as one pipeline: while dual writes are on, on the default store and then on the other
  /// one, and the replies are compared.
  ///
  /// ```swift
  /// let replies = try await sessions.pipelined { pipeline in
  ///   for user in users { pipeline.append(.get("user:\(user)")) }
  /// }
  /// ```
  ///
  /// A command that needs another connection (a script, or an unlisted or blocking command) splits the pipeline: the
  /// commands before it are executed first, and those after it afterwards. The flags are read for each of these parts.
  ///
  /// - Returns: the replies in the order of the commands. An error reply is among them as `RESPValue.error` and keeps
  ///   no other command from being executed.
  /// - Throws: ``MultiStoreError`` when nothing was sent: a command is invalid or unsupported, the client is closed, or
  ///   too many commands are in flight.
  @discardableResult
  public func pipelined(_ build: (inout CommandPipeline) -> Void) async throws(MultiStoreError) -> [RESPValue] {
    var pipeline = CommandPipeline()
    build(&pipeline)
    return try await replies(to: pipeline.commands).values
  }

  /// Executes several typed commands as one pipeline.
  ///
  /// ```swift
  /// let (name, visits) = try await sessions.pipelined(.get("user:1", as: String.self), .incr("visits"))
  /// ```
  ///
  /// - Returns: each command's value, in their order.
  /// - Throws: ``MultiStoreError``: that of the first command that failed. The others were executed all the same.
  public func pipelined<each Reply>(
    _ command: repeat StoreCommand<each Reply>
  ) async throws(MultiStoreError) -> (repeat each Reply) {
    var arguments: [[[UInt8]]] = []
    for command in repeat each command { arguments.append(command.arguments) }
    var replies = try await replies(to: arguments)
    return (repeat try replies.next(for: each command))
  }

  /// Executes several commands as one transaction, MULTI … EXEC: no other client's command comes between them.
  ///
  /// - Returns: the replies in the order of the commands. A command that fails while it is executed has its
  ///   `RESPValue.error` among them; the others are executed all the same, as Redis has it.
  /// - Throws: ``MultiStoreError``; no command was executed then, unless the code is `outcomeUnknown`.
  @discardableResult
  public func multi(_ build: (inout CommandPipeline) -> Void) async throws(MultiStoreError) -> [RESPValue] {
    var pipeline = CommandPipeline()
    build(&pipeline)
    return try await transactionReplies(to: pipeline.commands).values
  }

  /// Executes several typed commands as one transaction.
  ///
  /// ```swift
  /// let (_, length) = try await queue.multi(.ltrim("jobs", 0, 99), .llen("jobs"))
  /// ```
  ///
  /// - Returns: each command's value, in their order.
  /// - Throws: as the form with a block, and the error of the first command that failed while it was executed; the
  ///   others were executed all the same then.
  public func multi<each Reply>(
    _ command: repeat StoreCommand<each Reply>
  ) async throws(MultiStoreError) -> (repeat each Reply) {
    var arguments: [[[UInt8]]] = []
    for command in repeat each command { arguments.append(command.arguments) }
    var replies = try await transactionReplies(to: arguments)
    return (repeat try replies.next(for: each command))
  }

  private func replies(to arguments: [[[UInt8]]]) async throws(MultiStoreError) -> ReplyList {
    var commands: [ClientCommand] = []
    for words in arguments { commands.append(try ClientCommand(words)) }
    guard !commands.isEmpty else { return ReplyList(values: []) }
    let replies = try await execute(commands, isTransaction: false)
    return ReplyList(values: try replies.decoded(count: commands.count), failures: replies.failures)
  }

  private func transactionReplies(to arguments: [[[UInt8]]]) async throws(MultiStoreError) -> ReplyList {
    var commands: [ClientCommand] = []
    for words in arguments { commands.append(try ClientCommand(inTransaction: words)) }
    guard !commands.isEmpty else { return ReplyList(values: []) }
    let replies = try await execute(commands, isTransaction: true)
    if let failure = replies.failures[0] { throw failure }
    switch try replies.decoded(count: 1)[0] {
    case .array(let values) where values.count == commands.count: return ReplyList(values: values)
    case .error(let message): throw MultiStoreError(.errorReply, message)
    case let other: throw MultiStoreError(.unexpectedReply, "the reply to EXEC is \(other.typeName)")
    }
  }
}

/// The replies of a pipeline or a transaction, taken one after the other.
private struct ReplyList {
  let values: [RESPValue]
  var failures: [Int: MultiStoreError] = [:]
  private var index = 0

  init(values: [RESPValue], failures: [Int: MultiStoreError] = [:]) {
    self.values = values
    self.failures = failures
  }

  /// The value of the next reply.
  mutating func next<Reply>(for command: StoreCommand<Reply>) throws(MultiStoreError) -> Reply {
    defer { index += 1 }
    if let failure = failures[index] { throw failure }
    return try command.value(of: values[index])
  }
}

extension ClientReplies {
  /// The replies as values.
  ///
  /// - Throws: ``MultiStoreError`` with code `unexpectedReply` when they can't be read: arrays nested deeper than
  ///   `RESPValue.maxDepth`.
  fileprivate func decoded(count: Int) throws(MultiStoreError) -> [RESPValue] {
    var values: [RESPValue] = []
    values.reserveCapacity(count)
    var position = 0
    for _ in 0..<count {
      guard let value = RESPValue.decode(bytes.span, at: &position) else {
        throw MultiStoreError(.unexpectedReply, "the reply is nested too deep to be read")
      }
      values.append(value)
    }
    return values
  }
}
