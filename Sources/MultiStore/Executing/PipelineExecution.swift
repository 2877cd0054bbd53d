internal import BasicContainers
internal import CoreMetrics
internal import Hiredis
internal import RESP

/// A pipeline or a transaction: executed on the default store as a whole, then on the other store, and compared element
/// by element. With one store alone it is only executed there. Each element has an ``EffectCopy``, which decides about
/// its copy.
final class PipelineExecution: PooledExecution, ReplyReceiver {
  /// The state of one command.
  struct Element {
    /// The end of its encoded reply in `replies`; it begins at the end of the one before.
    var end = 0
    /// The range in `substitutes` of the other store's reply, if that replaces the default store's.
    var substitute = 0..<0
    var isMiss = false
    /// The decisions about its copy.
    var effect = EffectCopy()
    /// One of its keys was being copied to the other store when the batch began.
    var wasBeingCopied = false
    /// One of its keys was to be copied there then, because of another execution.
    var wasPending = false
    /// The default store was asked for the deadline that it has given its key.
    var hasDeadline = false
    /// Its place in `digests` if its reply was large and has been passed on; below zero otherwise.
    var digest = -1
  }

  /// Tokens of the commands are their indexes. Those of copies have this bit, those of questions about deadlines the
  /// next one; those of MULTI and EXEC are negative.
  static let copyBit = 1 << 40
  static let deadlineBit = 1 << 41
  /// Questions about the keys of scripts, to the default store and to the other one.
  static let presenceBit = 1 << 42
  static let otherPresenceBit = 1 << 43
  static let openToken = -1
  static let execToken = -2
  static let copiedExecToken = -3

  let core: ExecutionCore
  let comparer: ReplyComparer
  let logsValues: Bool
  var kind = BatchKind.pipelined
  var elements = UniqueArray<Element>()
  var replies = ByteBuffer()
  var substitutes = ByteBuffer()
  var buffers = CopyBuffers()
  var otherReply = ByteBuffer()
  /// Whether `replies` is the final answer to EXEC: refused, aborted, or never answered.
  var isRefused = false
  /// The number of the default store's replies that have not arrived: EXEC's alone in a transaction.
  var repliesLeft = 0
  var deadlinesLeft = 0
  /// The number of commands after which the default store was asked for a deadline.
  var deadlineCount = 0
  var copiesLeft = 0
  /// The first failure of the other store that left a copy without a reply.
  var copyFailure: CopyFailure?
  var diff = PipelineDiff()
  /// The number of elements whose replies were passed on to the client, and the end in `replies` of those among them
  /// that are kept.
  var passedOn = (count: 0, end: 0)
  /// The replies that were passed on and not kept.
  var digests: [ReplyDigest] = []
  /// Its beginning, if it is a transaction on a connection of its own and nothing else was in flight.
  var beginning: SeparateTransactions.Beginning?
  /// Whether the other store gets the copies in the order in which the default store executed the batch among other
  /// writes.
  var isInOrder = true
  /// Keys that the other store gets whole after all commands; until then its replies about them can't be judged.
  var unsettledKeys: Set<[UInt8]> = []
  /// The first element whose keys were not checked for `unsettledKeys`.
  var firstUnsettled = 0
  /// Whether the copy of an element was skipped: it has failed, or keys are copied whole in its place.
  var hasSkipped = false
  /// The numbers of keys that scripts found on the default store, by their indexes.
  var presences: [Int: Int] = [:]
  /// The scripts that found others of their keys on the other store.
  var incomplete: Set<Int> = []

  var defaultRole: StoreRole { core.defaultRole }

  /// The place of the default store's reply to an element in ``replies``, once it has come.
  @inline(__always)
  func replyRange(of index: Int) -> Range<Int> { replyStart(of: index)..<elements[index].end }

  /// The place at which that begins.
  @inline(__always)
  func replyStart(of index: Int) -> Int { index == 0 ? 0 : elements[index - 1].end }

  init(_ core: ExecutionCore) {
    self.core = core
    comparer = ReplyComparer(mode: core.database.configuration.comparison)
    logsValues = core.database.configuration.logValues
  }

  /// Executes `batch` over `connection`, one to the default store.
  func start(
    _ batch: consuming CommandBatch,
    kind: BatchKind,
    routing: Routing,
    over connection: HiredisConnection,
    sink: any ReplySink
  ) {
    self.kind = kind
    core.reach(over: connection)
    core.begin(batch, routing: routing, writesToBoth: routing.isDual, sink: sink)
    reset()
    send(over: connection)
  }

  private func reset() {
    elements.removeAll(keepingCapacity: true)
    for _ in 0..<core.batch.count { elements.append(Element()) }
    isRefused = false
    copyFailure = nil
    isInOrder = true
    diff = PipelineDiff()
    passedOn = (0, 0)
    if !digests.isEmpty { digests = [] }
    unsettledKeys.removeAll(keepingCapacity: true)
    firstUnsettled = 0
    hasSkipped = false
    copiesLeft = 0
    if !presences.isEmpty { presences = [:] }
    if !incomplete.isEmpty { incomplete = [] }
  }

  private func send(over connection: HiredisConnection) {
    if isSeparate { beginning = core.database.separateTransactions.begin(beside: core.ordinary) }
    let isMulti = kind == .multi
    // All or nothing: a MULTI without its EXEC would queue the commands of all other sessions.
    let more = isMulti ? roomForScripts(isOfOther: false) : (commands: 0, bytes: 0)
    let bytes = core.batch.byteCount + 64 + more.bytes
    if let failure = core.refusal(by: core.defaultStore, over: connection, framing: 2 + more.commands, bytes: bytes) {
      return failWhole(failure)
    }
    var hasScripts = false
    for index in 0..<core.batch.count {
      let spec = core.batch.spec(index)
      if spec.traits.contains(.iterates) { giveCursorToItsStore(index) }
      if spec.commandClass == .script {
        hasScripts = true
        core.batch.withCommand(index) { core.database.noteScript(in: $0, spec, core.routing) }
      }
    }
    noteKeysBeingCopied()
    if hasScripts, isSeparate { announceKeysOfTransaction() }
    if hasScripts, isMulti { askForPresences(on: core.defaultStore, over: connection) }
    if isMulti { connection.send(Self.multi.span, to: self, token: Self.openToken) }
    var first = 0
    while first < core.batch.count {
      if hasScripts, !isMulti, runsOnBoth(first) { askForPresence(of: first, on: core.defaultStore, over: connection) }
      let end =
        hasScripts && !isMulti
        ? core.batch.endOfRun(from: first) { !runsOnBoth($0) } : core.batch.endOfRun(from: first)
      let (token, step) = isMulti ? (Self.openToken, 0) : (first, 1)
      core.batch.send(run: first..<end, over: connection, to: self, token: token, tokenStep: step)
      first = end
    }
    if isMulti { connection.send(Self.exec.span, to: self, token: Self.execToken) }
    repliesLeft = isMulti ? 1 : core.batch.count
    askForDeadlines(over: connection)
  }

  /// Gives the execution back for reuse. Nothing may use the execution afterwards.
  private func finish() {
    core.end()
    replies.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    substitutes.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    buffers.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    otherReply.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    core.database.pools.pipelines.recycle(self)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    // The frequent ones first.
    case 0..<Self.copyBit:
      keep(reply, at: token)
      if replies.count - passedOn.end >= Self.passedOnBytes { passOn(through: token) }
      defaultStoreAnswered()
    case Self.copyBit..<Self.deadlineBit: otherStoreReplied(reply, to: token - Self.copyBit)
    case Self.deadlineBit..<Self.presenceBit:
      deadlineIsKnown(DeadlineQuestion.answer(reply), of: token - Self.deadlineBit)
    case Self.presenceBit..<Self.otherPresenceBit: presenceIsKnown(reply, of: token - Self.presenceBit)
    case Self.otherPresenceBit...: otherPresenceIsKnown(reply, of: token - Self.otherPresenceBit)
    case Self.execToken: execReplied(reply)
    case Self.copiedExecToken: copiedExecReplied(reply)
    default: break  // OK and QUEUED; a refusal shows in EXEC's reply
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    switch token {
    case Self.openToken: return  // EXEC fails as well, and says so once
    case Self.execToken:
      writeFailure(failure)
      defaultStoreAnswered()
    case Self.presenceBit...: return  // the script fails as well
    case Self.deadlineBit...: deadlineIsKnown(.unknown, of: token - Self.deadlineBit)
    case Self.copiedExecToken, Self.copyBit...: copyFailed(CopyFailure(failure), token)
    default:
      core.database.reporter.pipelineFailed(kind, on: core.routing.defaultStore, ReportedException(failure))
      replies.appendError(failure.clientError(store: core.routing.defaultStore))
      elements[token].end = replies.count
      core.sink?.executionDidFail(failure, at: token, on: core.routing.defaultStore)
      core.noteUnknownEffect(of: failure, at: token)
      _ = elements[token].effect.defaultStoreReplied(hasEffect: false)
      defaultStoreAnswered()
    }
  }

  // MARK: The answer

  func finishComparison() {
    if let copyFailure {
      core.database.reporter.pipelineFailed(kind, on: core.other.role, copyFailure.exception)
    } else {
      core.database.metrics.compared(kind)
      if !diff.isEmpty { core.database.reporter.differed(kind, diff, defaultStore: core.routing.defaultStore) }
    }
    copyKeys()
  }

  /// Copies the keys that the other store did not get by commands, after all commands.
  func copyKeys() {
    // Keys are also copied whole if the order of the copies is in doubt. After a lost copy they are stale.
    let needsRepair = !isInOrder && copyFailure == nil
    for index in elements.indices where hasSkipped || needsRepair {
      let repair: KeySelection? = needsRepair && elements[index].effect.wasWritten ? .all : nil
      if elements[index].effect.wasSkipped || repair != nil, runsOnBoth(index) { core.database.instance.mayDiffer() }
      guard let selection = elements[index].effect.keysToCopy ?? repair else { continue }
      core.copyKeys(selection, of: index, isOnOrdinary: core.isOnOrdinary, for: self)
    }
    core.withdrawKeys()
    if !core.isCopyingKeys { complete() }
  }

  /// Whether it writes to both stores and uses another connection to the default store than the ordinary one, because
  /// it watches keys or has scripts.
  var isSeparate: Bool { core.routing.isDual && kind == .multi && !core.isOnOrdinary }

  func complete() {
    core.leaveDefaultStore()
    if isSeparate { core.database.separateTransactions.end() }
    writeAnswer()
    finish()
  }

  func writeAnswer() {
    guard let sink = core.sink else { return }
    if kind == .multi, !isRefused { sink.output.appendArrayHeader(core.batch.count) }
    if substitutes.isEmpty {
      replies.withSpan { sink.output.append($0.extracting(passedOn.end...)) }
    } else {
      writeSubstituted(into: &sink.output)
    }
    core.answer()
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
  func keyCopyDidFinish(_ copy: KeyCopy) {
    core.keyCopyEnded()
    if !core.isCopyingKeys { complete() }
  }
}
