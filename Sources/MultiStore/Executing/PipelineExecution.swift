internal import BasicContainers
internal import CoreMetrics
internal import Hiredis
internal import RESP

/// A pipeline or a transaction: executed on the default store as a whole, then on the other store, and compared element
/// by element. With one store alone it is just executed there.
///
/// What is done for each command gets the batch as a parameter or names it once: each look at a property that could
/// change meanwhile would be counted as a reference.
final class PipelineExecution: Execution {
  /// What is known of one command.
  struct Element {
    /// Where its encoded reply ends in `replies`; it begins where the one before ends.
    var end = 0
    /// The other store's reply that is better than the default store's, in `substitutes`.
    var substitute = 0..<0
    var isMiss = false
    /// It reads, as its options have it; the other store's failure then leaves nothing stale.
    var isRead = false
    /// The other store executes it too.
    var isCopied = false
    /// Its two replies mean the same thing, so that they can be compared.
    var isComparable = false
    /// It took effect, and what the other store gets depends on the deadline that its key then has.
    var awaitsDeadline = false
    /// The other store executes it only where it has the keys.
    var isGuarded: Bool { !guardedCommand.isEmpty }
    /// That command, in `guarded`.
    var guardedCommand = 0..<0
    /// Which of its keys are copied whole once all commands are done.
    var keysToCopy: KeySelection?
    /// One of its keys was being copied to the other store when the batch began.
    var wasBeingCopied = false
    /// Its place in `digests` if its reply was large and has been passed on; below zero otherwise.
    var digest = -1
  }

  /// Tokens of the commands are their indexes; the copies' follow after this bit, the questions about deadlines after
  /// the other, MULTI's and EXEC's are below zero.
  static let copyBit = 1 << 40
  static let deadlineBit = 1 << 41
  static let openToken = -1
  static let execToken = -2
  static let copiedExecToken = -3

  let comparer: ReplyComparer
  let logsValues: Bool
  var kind = BatchKind.pipelined
  /// The connection to the default store: the ordinary one, or a session's own when it watches keys.
  var connection: HiredisConnection?
  var elements = UniqueArray<Element>()
  var replies = ByteBuffer()
  var substitutes = ByteBuffer()
  var scratch = ByteBuffer()
  var guarded = ByteBuffer()
  var otherReply = ByteBuffer()
  /// True when `replies` is the answer to EXEC as it stands: refused, aborted, or never answered.
  var isRefused = false
  /// Replies of the default store that have not come: EXEC's alone in a transaction.
  var repliesLeft = 0
  var deadlinesLeft = 0
  var copiesLeft = 0
  private var keyCopiesLeft = 0
  /// The first failure of the other store that left a copy without a reply.
  var copyFailure: CopyFailure?
  var diff = PipelineDiff()
  /// Elements whose replies the client has got, and where those that are kept of them end in `replies`.
  var passedOn = (count: 0, end: 0)
  /// The replies that were passed on and not kept.
  var digests: [ReplyDigest] = []
  /// When it began, if it is a transaction on a connection of its own and nothing else was going on.
  var beginning: SeparateTransactions.Beginning?
  /// The other store gets its copies in the order in which the default store executed it among other writes.
  var isInOrder = true
  /// Keys that the other store gets whole after all commands; until then its replies about them say nothing.
  var unsettledKeys: Set<[UInt8]> = []
  /// The first element whose keys were not looked at for `unsettledKeys`.
  var firstUnsettled = 0

  override init(multiStore: MultiStore) {
    comparer = ReplyComparer(mode: multiStore.configuration.comparison)
    logsValues = multiStore.configuration.logValues
    super.init(multiStore: multiStore)
  }

  /// Begins like ``Execution/start(_:routing:sink:)``.
  func start(
    _ batch: CommandBatch,
    kind: BatchKind,
    routing: Routing,
    over connection: HiredisConnection,
    sink: ReplySink
  ) {
    self.kind = kind
    self.connection = connection
    start(batch, routing: routing, sink: sink)
  }

  /// A batch on a session's own connection has to be done before dual writes begin: a fence does not wait for it.
  override var writesToBoth: Bool { routing.isDual || connection !== defaultStore.ordinary }

  override func begin() {
    elements.removeAll(keepingCapacity: true)
    for _ in 0..<batch.count { elements.append(Element()) }
    isRefused = false
    copyFailure = nil
    isInOrder = true
    diff = PipelineDiff()
    passedOn = (0, 0)
    if !digests.isEmpty { digests = [] }
    unsettledKeys.removeAll(keepingCapacity: true)
    firstUnsettled = 0
    copiesLeft = 0
    keyCopiesLeft = 0
    guard let connection else { return }
    let batch = batch
    if isSeparate { beginning = multiStore.separateTransactions.begin(beside: defaultStore.ordinary) }
    let isMulti = kind == .multi
    guard connection.hasRoom(commands: batch.count + 2, bytes: batch.byteCount + 64) else {
      // All or nothing: a MULTI without its EXEC would swallow everybody's commands.
      defaultStore.metrics.rejected.increment(by: batch.count)
      return failWhole(.queueFull(limit: connection.limits.maxQueuedCommands))
    }
    for index in 0..<batch.count {
      let spec = batch.spec(index)
      if spec.traits.contains(.iterates) { giveCursorToItsStore(index) }
      if spec.commandClass == .script { batch.withCommand(index) { multiStore.noteScript(in: $0, spec) } }
    }
    noteKeysBeingCopied()
    if isMulti { connection.send(Self.multi.span, to: self, token: Self.openToken) }
    for index in 0..<batch.count {
      batch.withCommand(index) {
        connection.send($0, of: batch.owner(index), to: self, token: isMulti ? Self.openToken : index)
      }
    }
    if isMulti { connection.send(Self.exec.span, to: self, token: Self.execToken) }
    repliesLeft = isMulti ? 1 : batch.count
    askForDeadlines(over: connection)
  }

  override func recycle() {
    replies.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    substitutes.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    scratch.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    guarded.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    otherReply.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    connection = nil
    multiStore.recycle(self)
  }

  override func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.openToken: return  // OK and QUEUED; a refusal shows in EXEC's reply
    case Self.execToken: execReplied(reply)
    case Self.copiedExecToken: copiedExecReplied(reply)
    case Self.deadlineBit...: deadlineIsKnown(DeadlineQuestion.answer(reply), of: token - Self.deadlineBit)
    case Self.copyBit...: otherStoreReplied(reply, to: token - Self.copyBit)
    default:
      keep(reply, at: token)
      if replies.count - passedOn.end >= Self.passedOnBytes { passOn(through: token) }
      defaultStoreAnswered()
    }
  }

  override func receive(failure: ConnectionFailure, token: Int) {
    switch token {
    case Self.openToken: return  // EXEC fails as well, and says so once
    case Self.execToken:
      writeFailure(failure)
      defaultStoreAnswered()
    case Self.deadlineBit...: deadlineIsKnown(nil, of: token - Self.deadlineBit)
    case Self.copiedExecToken, Self.copyBit...: copyFailed(CopyFailure(failure), token)
    default:
      multiStore.pipelineFailed(kind, on: routing.defaultStore, ReportedException(failure))
      replies.appendError(failure.clientError(store: routing.defaultStore))
      sink?.executionDidFail(failure, at: token, on: routing.defaultStore)
      elements[token].end = replies.count
      if failure.mayHaveBeenExecuted, routing.isDual { multiStore.markUnknown(batch, token, on: other.role) }
      defaultStoreAnswered()
    }
  }

  // MARK: The answer

  func finishComparison() {
    if let copyFailure {
      multiStore.pipelineFailed(kind, on: other.role, copyFailure.exception)
    } else {
      multiStore.metrics.compared(kind)
      if !diff.isEmpty { multiStore.differed(kind, diff, defaultStore: routing.defaultStore) }
    }
    copyKeys()
  }

  /// Copies the keys that the other store did not get by commands, after all commands.
  func copyKeys() {
    // Copied besides, as they now are, if the order of the copies is in doubt. Where a copy failed the keys are stale.
    let needsRepair = !isInOrder && copyFailure == nil
    for index in elements.indices {
      let element = elements[index]
      let repair: KeySelection? = needsRepair && element.isCopied && !element.isRead ? .all : nil
      guard let selection = element.keysToCopy ?? repair else { continue }
      let spec = bytesSpec(index)
      keyCopiesLeft += withCommand(index) {
        multiStore.copyKeys(
          of: $0,
          spec,
          selection,
          from: routing.defaultStore,
          isOnOrdinary: connection === defaultStore.ordinary,
          for: self
        )
      }
    }
    if keyCopiesLeft == 0 { complete() }
  }

  /// It writes to both stores, and reaches the default store over a connection of its own because it watches keys.
  var isSeparate: Bool { routing.isDual && kind == .multi && connection !== defaultStore.ordinary }

  func complete() {
    if isSeparate { multiStore.separateTransactions.end() }
    writeAnswer()
    finish()
  }

  func writeAnswer() {
    guard let sink else { return }
    if kind == .multi, !isRefused { sink.output.appendArrayHeader(batch.count) }
    if substitutes.isEmpty {
      replies.withSpan { sink.output.append($0.extracting(passedOn.end...)) }
    } else {
      writeSubstituted(into: &sink.output)
    }
    answer()
  }

  private func writeSubstituted(into output: inout ByteBuffer) {
    var start = passedOn.end
    for index in passedOn.count..<elements.count {
      let element = elements[index]
      if element.substitute.isEmpty {
        replies.withSpan { output.append($0.extracting(start..<element.end)) }
      } else {
        substitutes.withSpan { output.append($0.extracting(element.substitute)) }
      }
      start = element.end
    }
  }

  static let multi = CommandWriter.command("MULTI")
  static let exec = CommandWriter.command("EXEC")
}

extension PipelineExecution: KeyCopyWaiter {
  func keyCopyDidFinish() {
    keyCopiesLeft -= 1
    if keyCopiesLeft == 0 { complete() }
  }
}
