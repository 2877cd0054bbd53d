internal import CoreMetrics
internal import Hiredis
internal import RESP

/// One read under the `fallback` policy: the primary is asked, and the secondary when the primary missed or failed.
final class FallbackRead: PooledExecution, ReplyReceiver {
  private static let primaryToken = 0
  private static let secondaryToken = 1
  private static let fillToken = 2
  private static let presenceToken = 3
  private static let confirmationToken = 4

  private let core: ExecutionCore
  private let primary: Store
  private let secondary: Store
  private let primaryConnection: HiredisConnection
  private let secondaryConnection: HiredisConnection
  /// The primary's answer, kept for the case that the secondary has nothing better.
  private var primaryReply = ByteBuffer()
  private var primaryHasReplied = false
  /// The code of the primary's error reply, which counts as its failure if the secondary answers without one.
  private var primaryErrorCode = ""
  /// Whether the primary has all keys, for a command whose reply merges several; nil if that was not asked.
  private var hasAllKeys: Bool?
  private var keyCount = 0
  /// Whether dual writes were in flight when the primary missed. One of them may have been executed on the secondary
  /// while it was in flight to the primary.
  private var writesWereInFlight = false
  private var fill = ElementFill()
  private var scratch = ByteBuffer()

  var defaultRole: StoreRole { core.defaultRole }

  init(_ core: ExecutionCore) {
    self.core = core
    primary = core.database.store(.primary)
    secondary = core.database.store(.secondary)
    primaryConnection = primary.ordinary
    secondaryConnection = secondary.ordinary
  }

  func start(_ batch: consuming CommandBatch, routing: Routing, sink: any ReplySink) {
    core.begin(batch, routing: routing, writesToBoth: false, sink: sink)
    read()
  }

  private func read() {
    primaryHasReplied = false
    primaryErrorCode = ""
    hasAllKeys = nil
    if !primary.isWhole, lacksKeys(primary) {
      core.sendOrRefuse(to: secondary, over: secondaryConnection, token: Self.secondaryToken, for: self)
    } else {
      core.database.metrics.primaryReads.increment()
      if core.batch.spec(0).traits.contains(.mergesKeys) { askForPresence() }
      core.sendOrRefuse(to: primary, over: primaryConnection, token: Self.primaryToken, for: self)
    }
  }

  private func lacksKeys(_ primary: Store) -> Bool {
    if core.batch.withCommand(0, { primary.isStale($0, core.batch.spec(0)) }) {
      primary.metrics.staleReads.increment()
      return true
    }
    // A client that has written a key reads its new value, though the primary does not have that yet.
    return core.batch.withCommand(0) { primary.keysBeingCopied.hasKey(of: $0, core.batch.spec(0)) }
  }

  /// Answers, and gives the execution back for reuse. Nothing may use the execution afterwards.
  private func finish() {
    core.end()
    primaryReply.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    scratch.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    fill.removeAll()
    core.database.pools.fallbackReads.recycle(self)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.primaryToken: primaryReplied(reply)
    case Self.secondaryToken: secondaryReplied(reply)
    case Self.presenceToken: if reply.kind == .integer { hasAllKeys = reply.integer == keyCount }
    case Self.confirmationToken: primaryWasAskedAgain(isLacking: lacksAgain(reply))
    default: fillReplied(reply)
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if token == Self.presenceToken { return }  // the primary's answer fails as well
    if token == Self.confirmationToken { return primaryWasAskedAgain(isLacking: true) }
    if token == Self.primaryToken {
      core.database.reporter.readFailed(core.batch, on: .primary, ReportedException(failure))
      if isOutdatedOnSecondary {
        secondary.metrics.staleReads.increment()
        core.answerWithFailure(failure, of: .primary)
        return finish()
      }
      return askSecondary(because: core.database.metrics.fallbackAfterError)
    }
    core.database.reporter.readFailed(core.batch, on: .secondary, ReportedException(failure))
    answerWithoutSecondary { _ in core.answerWithFailure(failure, of: .secondary) }
  }

  private func primaryReplied(_ reply: borrowing Reply) {
    let spec = core.batch.spec(0)
    if !primary.isWhole, core.routing.defaultStore == .secondary, lacksKeys(primary) {
      // The copy of an earlier write was refused since the read was sent, and had been acknowledged before.
      core.sendOrRefuse(to: secondary, over: secondaryConnection, token: Self.secondaryToken, for: self)
      return
    }
    if reply.kind == .error, !isMiss(reply) {
      if isOutdatedOnSecondary {
        if let sink = core.sink { reply.encode(into: &sink.output) }
        return finish()
      }
      primaryErrorCode = reply.errorCode
      if core.routing.defaultStore == .primary { reply.encode(into: &primaryReply) }
      return askSecondary(because: core.database.metrics.fallbackAfterError)
    }
    guard hasAllKeys.map({ !$0 }) ?? isMiss(reply) else {
      if let sink = core.sink { encode(reply, of: .primary, into: &sink.output) }
      return finish()
    }
    primaryHasReplied = true
    if spec.id == .mget, reply.kind == .array {
      return fillElements(of: reply, isWholeKeys: true)
    }
    if isOutdatedOnSecondary {
      // The secondary's value was deleted or replaced since: the primary's miss is authoritative.
      secondary.metrics.staleReads.increment()
      if let sink = core.sink { reply.encode(into: &sink.output) }
      return finish()
    }
    if spec.miss == .anyNullElement, reply.kind == .array {
      fillElements(of: reply, isWholeKeys: false)
    } else {
      reply.encode(into: &primaryReply)
      askSecondary(because: core.database.metrics.fallbackAfterMiss)
    }
  }

  private func fillElements(of reply: borrowing Reply, isWholeKeys: Bool) {
    let reply = copy reply
    core.batch.withCommand(0) { command in
      fill.prepare(
        command: command,
        reply: reply,
        isWholeKeys: isWholeKeys,
        isStale: { secondary.lacksWrites(of: $0) },
        into: &scratch
      )
    }
    guard fill.missingCount > 0 else {
      secondary.metrics.staleReads.increment()
      if let sink = core.sink { reply.encode(into: &sink.output) }
      return finish()
    }
    core.database.metrics.fallbackAfterMiss.increment()
    writesWereInFlight = core.database.instance.hasDualExecutions
    scratch.withSpan { secondaryConnection.send($0, to: self, token: Self.fillToken) }
  }

  /// Asks the primary for the number of the keys that it has, right before the command itself: a reply that merges
  /// several keys does not show a missing one.
  private func askForPresence() {
    keyCount = core.batch.withCommand(0) { PresenceQuestion.write(about: $0, core.batch.spec(0), into: &scratch) }
    guard keyCount > 1 else { return }
    guard primaryConnection.hasRoom(commands: 2, bytes: scratch.count + core.batch.byteCount) else { return }
    scratch.withSpan { primaryConnection.send($0, to: self, token: Self.presenceToken) }
  }

  private func encode(_ reply: borrowing Reply, of role: StoreRole, into output: inout ByteBuffer) {
    if core.batch.spec(0).traits.contains(.iterates) {
      StoreCursor.encode(reply, of: role, into: &output)
    } else {
      reply.encode(into: &output)
    }
  }

  /// Whether the secondary has nothing that the primary lacks.
  private func isTrueMiss(_ reply: borrowing Reply) -> Bool {
    hasAllKeys == false ? isLikePrimaryReply(reply) : isMiss(reply)
  }

  private func isLikePrimaryReply(_ reply: borrowing Reply) -> Bool {
    scratch.removeAll()
    reply.encode(into: &scratch)
    let comparer = ReplyComparer(mode: .canonical)
    return primaryReply.withSpan { primaryReply in
      scratch.withSpan { comparer.areEqual(core.batch.spec(0).comparison, primaryReply, $0) }
    }
  }

  private func isMiss(_ reply: borrowing Reply) -> Bool {
    let reply = copy reply
    let miss = core.batch.spec(0).miss
    return core.batch.withCommand(0) { miss.isMiss(reply, of: $0) }
  }

  private func askSecondary(because reason: Counter) {
    reason.increment()
    writesWereInFlight = core.database.instance.hasDualExecutions
    core.sendOrRefuse(to: secondary, over: secondaryConnection, token: Self.secondaryToken, for: self)
  }

  /// Whether the secondary's value is outdated: a copy of the default store's has failed or is in flight.
  private var isOutdatedOnSecondary: Bool {
    guard !secondary.isWhole else { return false }
    let spec = core.batch.spec(0)
    return core.batch.withCommand(0) { secondary.isOutdated($0, spec) }
  }

  /// Answers with the primary's miss, or its error, if the secondary's value has turned out to be outdated since the
  /// read was sent: it has refused the copy of an earlier write, or gets the key whole after that.
  private func answersWithPrimaryReply() -> Bool {
    let hasReply = primaryHasReplied || !primaryErrorCode.isEmpty
    guard core.routing.defaultStore == .primary, hasReply, isOutdatedOnSecondary else { return false }
    secondary.metrics.staleReads.increment()
    answerWithoutSecondary { _ in }
    return true
  }

  private func secondaryReplied(_ reply: borrowing Reply) {
    if answersWithPrimaryReply() { return }
    if reply.kind == .error, !(primaryHasReplied && reply.isErrorOfCommand) {
      // Both stores refuse it (a key of another type, say): an error of the command, not a failure of a store.
      answerWithoutSecondary { reply.encode(into: &$0.output) }
      return
    }
    if let sink = core.sink { encode(reply, of: .secondary, into: &sink.output) }
    if primaryHasReplied {
      guard isTrueMiss(reply) else {
        return fellBack {
          core.sendOrRefuse(to: primary, over: primaryConnection, token: Self.confirmationToken, for: self)
        }
      }
      core.database.metrics.trueMisses.increment()
    } else if !primaryErrorCode.isEmpty {
      core.database.reporter.readFailed(core.batch, on: .primary, ReportedException(errorReply: primaryErrorCode))
    }
    finish()
  }

  /// Counts a fallback: the secondary had what the primary lacked. If the primary may have lacked it only because its
  /// copy was in flight, `askAgain` asks the primary once more first. By then the copies of everything that the
  /// secondary had executed are sent. The client does not wait for the second answer.
  private func fellBack(_ askAgain: () -> Void) {
    guard writesWereInFlight, hasAllKeys == nil else {
      core.database.reporter.fellBack(core.batch)
      return finish()
    }
    core.answer()
    askAgain()
  }

  private func primaryWasAskedAgain(isLacking: Bool) {
    let isBeingCopied =
      !primary.isWhole && core.batch.withCommand(0) { primary.keysBeingCopied.hasKey(of: $0, core.batch.spec(0)) }
    if isLacking, !isBeingCopied {
      core.database.reporter.fellBack(core.batch)
    } else {
      core.database.metrics.overtakenReads.increment()
    }
    finish()
  }

  private func lacksAgain(_ reply: borrowing Reply) -> Bool {
    if reply.kind == .error { return true }
    return fill.missingCount > 0 ? !isLikePrimaryReply(reply) : isMiss(reply)
  }

  private func fillReplied(_ reply: borrowing Reply) {
    let isOfKeys = core.batch.spec(0).id == .mget
    if !isOfKeys, answersWithPrimaryReply() { return }
    if fill.isWholeReply, reply.isErrorOfCommand, let sink = core.sink {
      reply.encode(into: &sink.output)
      return fellBackOnElements(reply)
    }
    guard reply.kind == .array, reply.count == fill.missingCount else {
      answerWithoutSecondary { reply.encode(into: &$0.output) }
      return
    }
    let outdated = isOfKeys ? outdatedElements : []
    guard let sink = core.sink, fill.encode(filledFrom: reply, except: outdated, into: &sink.output) else {
      core.database.metrics.trueMisses.increment()
      return finish()
    }
    fellBackOnElements(reply)
  }

  private func fellBackOnElements(_ reply: borrowing Reply) {
    primaryReply.removeAll()
    reply.encode(into: &primaryReply)
    fellBack { scratch.withSpan { primaryConnection.send($0, to: self, token: Self.confirmationToken) } }
  }

  /// The elements of MGET whose keys have become outdated on the secondary since it was asked.
  private var outdatedElements: Set<Int> {
    guard !secondary.isWhole, core.routing.defaultStore == .primary else { return [] }
    var outdated: Set<Int> = []
    core.batch.withCommand(0) { command in
      var arguments = ArgumentCursor(command)
      while let key = arguments.next() {
        if arguments.index > 1, secondary.isOutdated(key) { outdated.insert(arguments.index - 2) }
      }
    }
    return outdated
  }

  /// Answers without the secondary's reply. If the primary is the default store, its miss or error is authoritative. If
  /// the secondary is, a miss would claim that data is gone, so the client gets the error.
  private func answerWithoutSecondary(_ writeError: (any ReplySink) -> Void) {
    if fill.missingCount > 0, primaryReply.isEmpty { fill.encode(into: &primaryReply) }
    if let sink = core.sink {
      if core.routing.defaultStore == .primary, !primaryReply.isEmpty {
        primaryReply.withSpan { sink.output.append($0) }
      } else {
        writeError(sink)
      }
    }
    finish()
  }
}
