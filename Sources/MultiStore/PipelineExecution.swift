internal import CoreMetrics
internal import Hiredis
internal import RESP

/// A pipeline or a transaction: executed on the default store as a whole, then on the other store, and compared element
/// by element. With one store alone it is just executed there.
final class PipelineExecution: Execution {
  /// What is known of one command.
  private struct Element {
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
    /// The other store executes it only where it has the keys.
    var isGuarded: Bool { !guardedCommand.isEmpty }
    /// That command, in `guarded`.
    var guardedCommand = 0..<0
    /// Which of its keys are copied whole once all commands are done.
    var keysToCopy: KeySelection?
  }

  /// Tokens of the commands are their indexes; the copies' follow after this bit, MULTI's and EXEC's are below zero.
  private static let copyBit = 1 << 40
  private static let openToken = -1
  private static let execToken = -2
  private static let copiedExecToken = -3

  private var kind = BatchKind.pipelined
  /// The connection to the default store: the ordinary one, or a session's own when it watches keys.
  private var connection: HiredisConnection?
  private var elements: [Element] = []
  private var replies = ByteBuffer()
  private var substitutes = ByteBuffer()
  private var scratch = ByteBuffer()
  private var guarded = ByteBuffer()
  private var otherReply = ByteBuffer()
  /// True when `replies` is the answer to EXEC as it stands: refused, aborted, or never answered.
  private var isRefused = false
  private var copiesLeft = 0
  private var keyCopiesLeft = 0
  private var copyFailure: CopyFailure?
  private var diff = PipelineDiff()
  /// Keys that the other store gets whole after all commands; until then its replies about them say nothing.
  private var unsettledKeys: Set<[UInt8]> = []
  /// The first element whose keys were not looked at for `unsettledKeys`.
  private var firstUnsettled = 0

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

  override var writesToBoth: Bool { routing.isDual }

  override func begin() {
    elements.removeAll(keepingCapacity: true)
    for _ in 0..<batch.count { elements.append(Element()) }
    isRefused = false
    copyFailure = nil
    diff = PipelineDiff()
    unsettledKeys.removeAll(keepingCapacity: true)
    firstUnsettled = 0
    copiesLeft = 0
    keyCopiesLeft = 0
    guard let connection else { return }
    let isMulti = kind == .multi
    guard connection.hasRoom(commands: batch.count + 2, bytes: batch.byteCount + 64) else {
      // All or nothing: a MULTI without its EXEC would swallow everybody's commands.
      defaultStore.metrics.rejected.increment(by: batch.count)
      return failWhole(.queueFull(limit: connection.limits.maxQueuedCommands))
    }
    if isMulti { connection.send(Self.multi.span, to: self, token: Self.openToken) }
    for index in 0..<batch.count {
      withCommand(index) { connection.send($0, to: self, token: isMulti ? Self.openToken : index) }
    }
    if isMulti { connection.send(Self.exec.span, to: self, token: Self.execToken) }
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
    case Self.copyBit...: otherStoreReplied(reply, to: token - Self.copyBit)
    default:
      keep(reply, at: token)
      if token == batch.count - 1 { defaultStoreIsDone() }
    }
  }

  override func receive(failure: ConnectionFailure, token: Int) {
    switch token {
    case Self.openToken: return  // EXEC fails as well, and says so once
    case Self.execToken: failWhole(failure)
    case Self.copiedExecToken, Self.copyBit...: copyFailed(CopyFailure(failure), token)
    default:
      multiStore.pipelineFailed(kind, on: routing.defaultStore, failure.exceptionClass, failure.description)
      replies.appendError(failure.clientError(store: routing.defaultStore))
      sink?.executionDidFail(failure, at: token, on: routing.defaultStore)
      elements[token].end = replies.count
      if failure.mayHaveBeenExecuted, routing.isDual { multiStore.markUnknown(batch, token, on: other.role) }
      if token == batch.count - 1 { defaultStoreIsDone() }
    }
  }

  private var other: Store { multiStore.store(routing.defaultStore.other) }

  // MARK: The default store's side

  private func keep(_ reply: borrowing Reply, at index: Int) {
    let spec = spec(index)
    reply.encode(into: &replies)
    elements[index].end = replies.count
    // A command of its own came here because one store alone is to execute it.
    guard routing.isDual, kind != .single, reply.kind != .error || spec.commandClass == .read else { return }
    let reply = copy reply
    switch withCommand(index, { spec.commandClass(ofCommand: $0) }) {
    case .read:
      elements[index].isRead = true
      elements[index].isMiss = withCommand(index) { spec.miss.isMiss(reply, of: $0) }
      elements[index].isComparable = true
      elements[index].isCopied = true
    case .write, .script, .blocking:
      planCopy(of: index, spec, after: reply)
    default: return
    }
  }

  /// Decides what the other store gets; a changed command takes the place of the client's in the batch's copy.
  private func planCopy(of index: Int, _ spec: CommandSpec, after reply: borrowing Reply) {
    let planner = multiStore.copyPlanner(for: other)
    let reply = copy reply
    let plan = withCommand(index) { planner.plan(spec.effect, $0, after: reply, into: &scratch) }
    if plan != .noEffect { withCommand(index) { defaultStore.clearStale($0, spec) } }
    switch plan {
    case .verbatim:
      elements[index].isCopied = true
      elements[index].isComparable = true
      if spec.traits.contains(.changesPart) { guardCopy(of: index) }
    case .rewritten(let isComparable):
      scratch.withSpan { batch.replace(index, with: $0) }
      elements[index].isCopied = true
      elements[index].isComparable = isComparable
      if spec.traits.contains(.changesPart) { guardCopy(of: index) }
    case .keys(let selection): elements[index].keysToCopy = selection
    case .noEffect: return
    case .notRepeatable:
      if spec.staysUncopied { multiStore.leftUncopied(batch, index, on: other.role) }
    }
  }

  /// A write that changes part of a key goes out under guard; where the key is stale it is of no use at all.
  private func guardCopy(of index: Int) {
    let isOfUse = withCommand(index) { command in
      scratch.removeAll()
      return !other.isStale(command, bytesSpec(index)) && PresenceGuard.wrap(command, into: &scratch)
    }
    if isOfUse {
      elements[index].guardedCommand = guarded.count..<guarded.count + scratch.count
      scratch.withSpan { guarded.append($0) }
    } else {
      elements[index].isCopied = false
      elements[index].keysToCopy = .all
    }
  }

  private func execReplied(_ reply: borrowing Reply) {
    guard reply.kind == .array, reply.count == batch.count else {
      // Refused (EXECABORT) or aborted by WATCH: it did not happen, so the other store hears nothing of it.
      reply.encode(into: &replies)
      isRefused = true
      return complete()
    }
    for index in 0..<reply.count { keep(reply[index], at: index) }
    defaultStoreIsDone()
  }

  private func failWhole(_ failure: ConnectionFailure) {
    multiStore.pipelineFailed(kind, on: routing.defaultStore, failure.exceptionClass, failure.description)
    if failure.mayHaveBeenExecuted, routing.isDual {
      for index in 0..<batch.count { multiStore.markUnknown(batch, index, on: other.role) }
    }
    let repetitions = kind == .multi ? 1 : batch.count
    for index in 0..<repetitions {
      replies.appendError(failure.clientError(store: routing.defaultStore))
      sink?.executionDidFail(failure, at: index, on: routing.defaultStore)
    }
    isRefused = true
    complete()
  }

  private func defaultStoreIsDone() {
    guard routing.isDual, elements.contains(where: \.isCopied) else { return copyKeys() }
    sendCopies()
    // A missed read may get a better answer from the other store, so it has to be waited for.
    let mayFill = routing.readPolicy == .fallback && elements.contains(where: \.isMiss)
    if multiStore.configuration.writeAcknowledgement == .defaultStore, !mayFill { writeAnswer() }
  }

  // MARK: The other store's side

  private func sendCopies() {
    let connection = other.ordinary
    let isMulti = kind == .multi
    guard connection.hasRoom(commands: batch.count + 2, bytes: batch.byteCount + guarded.count + 64) else {
      copiesLeft = 0
      noteCopyFailure(CopyFailure(.queueFull(limit: connection.limits.maxQueuedCommands)))
      return
    }
    if isMulti { connection.send(Self.multi.span, to: self, token: Self.openToken) }
    for index in elements.indices where elements[index].isCopied {
      copiesLeft += 1
      let token = isMulti ? Self.openToken : Self.copyBit + index
      let guardedCommand = elements[index].guardedCommand
      if guardedCommand.isEmpty {
        withCommand(index) { connection.send($0, to: self, token: token) }
      } else {
        guarded.withSpan { connection.send($0.extracting(guardedCommand), to: self, token: token) }
      }
    }
    if isMulti {
      copiesLeft = 1
      connection.send(Self.exec.span, to: self, token: Self.copiedExecToken)
    }
  }

  private func copiedExecReplied(_ reply: borrowing Reply) {
    copiesLeft = 0
    let copied = elements.indices.filter { elements[$0].isCopied }
    if reply.kind == .array, reply.count == copied.count {
      for (place, index) in copied.enumerated() { compare(reply[place], with: index) }
      finishComparison()
    } else {
      noteCopyFailure(CopyFailure(reply))
    }
  }

  private func otherStoreReplied(_ reply: borrowing Reply, to index: Int) {
    copiesLeft -= 1
    compare(reply, with: index)
    if copiesLeft == 0 { finishComparison() }
  }

  private func copyFailed(_ failure: CopyFailure, _ token: Int) {
    copiesLeft -= 1
    if token >= Self.copyBit {
      let index = token - Self.copyBit
      if !elements[index].isRead { withCommand(index) { other.markStale($0, bytesSpec(index)) } }
      if copyFailure == nil { copyFailure = failure }
      if copiesLeft == 0 { finishComparison() }
    } else {
      copiesLeft = 0
      noteCopyFailure(failure)
    }
  }

  /// No copy was executed, or nobody knows.
  private func noteCopyFailure(_ failure: CopyFailure) {
    copyFailure = failure
    for index in elements.indices where elements[index].isCopied && !elements[index].isRead {
      withCommand(index) { other.markStale($0, bytesSpec(index)) }
    }
    finishComparison()
  }

  private func compare(_ reply: borrowing Reply, with index: Int) {
    let spec = spec(index)
    if elements[index].isGuarded, PresenceGuard.wasSkipped(reply) {
      if reply.kind == .error { other.loadPresenceGuard() }
      elements[index].keysToCopy = .all
      return
    }
    otherReply.removeAll()
    reply.encode(into: &otherReply)
    let start = index == 0 ? 0 : elements[index - 1].end
    let range = start..<elements[index].end
    if !elements[index].isRead {
      if reply.kind == .error {
        multiStore.copyFailed(batch, index, on: other.role, CopyFailure(reply))
      } else {
        withCommand(index) { other.clearStale($0, bytesSpec(index)) }
      }
    }
    guard elements[index].isComparable, !isUnsettled(index) else { return }
    withReplies(range) { defaultReply, otherReply in
      let comparer = ReplyComparer(mode: multiStore.configuration.comparison)
      if comparer.areEqual(spec.comparison, defaultReply, otherReply) { return }
      diff.add(
        index: index,
        command: spec.label,
        defaultReply: defaultReply,
        otherReply: otherReply,
        isFull: multiStore.configuration.logValues
      )
    }
    if elements[index].isMiss, routing.readPolicy == .fallback { substitute(reply, for: index, spec, range) }
  }

  /// Whether an earlier command changed one of the element's keys in a way that the other store did not see yet.
  private func isUnsettled(_ index: Int) -> Bool {
    while firstUnsettled < index {
      if elements[firstUnsettled].keysToCopy != nil {
        withCommand(firstUnsettled) { command in
          bytesSpec(firstUnsettled).forEachKey(ofCommand: command) { unsettledKeys.insert($0.array) }
        }
      }
      firstUnsettled += 1
    }
    guard !unsettledKeys.isEmpty else { return false }
    var isUnsettled = false
    withCommand(index) { command in
      bytesSpec(index).forEachKey(ofCommand: command) { if unsettledKeys.contains($0.array) { isUnsettled = true } }
    }
    return isUnsettled
  }

  /// The default store missed: the other store's reply is at hand, and it is the answer if it has something.
  private func substitute(_ reply: borrowing Reply, for index: Int, _ spec: CommandSpec, _ range: Range<Int>) {
    let reply = copy reply
    guard reply.kind != .error, !withCommand(index, { other.isStale($0, spec) }) else { return }
    let start = substitutes.count
    if spec.miss == .anyNullElement {
      guard withReplies(range, { ElementFill.merge($0, $1, into: &substitutes) }) else { return }
    } else {
      guard !withCommand(index, { spec.miss.isMiss(reply, of: $0) }) else { return }
      otherReply.withSpan { substitutes.append($0) }
    }
    elements[index].substitute = start..<substitutes.count
    // Only what the primary lacked is a fallback; what the secondary lacks is a diff and nothing else.
    if routing.defaultStore == .primary { multiStore.fellBack(batch, index) }
  }

  /// Lends the default store's encoded reply, which is at `range` in `replies`, and the other store's to `body`.
  private func withReplies<Result>(_ range: Range<Int>, _ body: (Span<UInt8>, Span<UInt8>) -> Result) -> Result {
    replies.withSpan { replies in
      otherReply.withSpan { body(replies.extracting(range), $0) }
    }
  }

  // MARK: The answer

  private func finishComparison() {
    if let copyFailure {
      multiStore.pipelineCopyFailed(kind, on: other.role, copyFailure)
    } else {
      multiStore.metrics.compared(kind)
      if !diff.isEmpty { multiStore.differed(kind, diff, defaultStore: routing.defaultStore) }
    }
    copyKeys()
  }

  /// Copies the keys that the other store did not get by commands, after all commands.
  private func copyKeys() {
    for index in elements.indices {
      guard let selection = elements[index].keysToCopy else { continue }
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

  private func complete() {
    writeAnswer()
    finish()
  }

  private func writeAnswer() {
    guard let sink else { return }
    if kind == .multi, !isRefused { sink.output.appendArrayHeader(batch.count) }
    if substitutes.isEmpty {
      replies.withSpan { sink.output.append($0) }
    } else {
      writeSubstituted(into: &sink.output)
    }
    answer()
  }

  private func writeSubstituted(into output: inout ByteBuffer) {
    var start = 0
    for element in elements {
      if element.substitute.isEmpty {
        replies.withSpan { output.append($0.extracting(start..<element.end)) }
      } else {
        substitutes.withSpan { output.append($0.extracting(element.substitute)) }
      }
      start = element.end
    }
  }

  private static let multi = encoded("MULTI")
  private static let exec = encoded("EXEC")

  private static func encoded(_ name: String) -> [UInt8] {
    Array("*1\r\n$\(name.utf8.count)\r\n\(name)\r\n".utf8)
  }
}

extension PipelineExecution: KeyCopyWaiter {
  func keyCopyDidFinish() {
    keyCopiesLeft -= 1
    if keyCopiesLeft == 0 { complete() }
  }
}
