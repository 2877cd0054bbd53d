internal import BasicContainers
internal import CoreMetrics
internal import Hiredis
internal import RESP

/// Comparing the other store's replies with the default store's, and filling what the default store lacks.
extension PipelineExecution {
  /// Judges the other store's reply to the copy of an element.
  func compare(_ reply: borrowing Reply, with index: Int) {
    let spec = core.batch.spec(index)
    // Determined before a successful write clears the marks of its stale keys.
    let mayBeUnsettled =
      hasSkipped || elements[index].wasBeingCopied || elements[index].wasPending || !core.other.isWhole
      || !core.database.pendingDumps.isEmpty
    let isUnsettled = mayBeUnsettled && isUnsettled(index) || deadlineCount > 0 && isPassingDeadline(index, spec)
    let isComparable = elements[index].effect.isComparable && !isRounded(reply, elements[index].effect.form)
    let answer: EffectCopy.Answer? =
      if spec.commandClass == .script {
        scriptAnswer(reply, to: index)
      } else if core.batch.bytesSpec(index).traits.contains(.moves) {
        moveAnswer(reply, to: index)
      } else {
        nil
      }
    _ = core.otherStoreReplied(reply, to: index, &elements[index].effect, as: answer)
    // A failure of one store is no difference.
    if elements[index].effect.wasSkipped {
      hasSkipped = true
      return
    }
    guard isComparable else { return }
    let range = replyRange(of: index)
    guard !isUnsettled else {
      core.database.metrics.uncomparedReplies.increment()
      return fillSettledElements(of: reply, index, spec, range)
    }
    // Nearly all replies are the same, and most of them single values.
    if isInOrder, !elements[index].isMiss, replies.withSpan({ reply.isEncoded(in: $0.extracting(range)) }) { return }
    otherReply.removeAll()
    if spec.traits.contains(.iterates) {
      StoreCursor.encode(reply, of: core.other.role, into: &otherReply)
    } else {
      reply.encode(into: &otherReply)
    }
    if isInOrder {
      compareReplies(at: range, with: reply, of: index, spec)
    } else {
      core.database.metrics.uncomparedReplies.increment()
    }
    if elements[index].isMiss, core.routing.readPolicy == .fallback { substitute(reply, for: index, spec, range) }
  }

  /// Whether Lua, in which the ``PresenceGuard`` is written, may have rounded a number of more than 53 bits.
  private func isRounded(_ reply: borrowing Reply, _ form: EffectCopy.Form?) -> Bool {
    guard case .guarded = form, reply.kind == .integer else { return false }
    return reply.integer.magnitude >= 1 << 53
  }

  /// The meaning of the other store's reply to a command that moves an element; nil if the reply alone has it.
  private func moveAnswer(_ reply: borrowing Reply, to index: Int) -> EffectCopy.Answer? {
    guard isInOrder, elements[index].digest < 0 else { return nil }
    let reply = copy reply
    let range = replyRange(of: index)
    let form = elements[index].effect.form
    return replies.withSpan { PresenceGuard.answer(reply, to: form, moved: $0.extracting(range)) }
  }

  /// Fills what the default store lacks with the other store's reply, which can't be compared but may count all the
  /// same: of an MGET the elements whose keys are not outdated there.
  private func fillSettledElements(
    of reply: borrowing Reply,
    _ index: Int,
    _ spec: CommandSpec,
    _ range: Range<Int>
  ) {
    guard elements[index].isMiss, core.routing.readPolicy == .fallback, !elements[index].wasBeingCopied else { return }
    let isOutdated = { (key: Span<UInt8>) in self.core.other.isOutdated(key) || self.unsettledKeys.contains(key.array) }
    var outdated: Set<Int> = []
    let counts = core.batch.withCommand(index) { command in
      guard spec.id == .mget else { return !spec.hasKey(ofCommand: command, where: isOutdated) }
      var arguments = ArgumentCursor(command)
      while let key = arguments.next() {
        if arguments.index > 1, isOutdated(key) { outdated.insert(arguments.index - 2) }
      }
      return true
    }
    guard counts else { return }
    otherReply.removeAll()
    reply.encode(into: &otherReply)
    substitute(reply, for: index, spec, range, except: outdated)
  }

  private func compareReplies(
    at range: Range<Int>,
    with reply: borrowing Reply,
    of index: Int,
    _ spec: CommandSpec
  ) {
    guard elements[index].digest < 0 else { return compareDigests(with: reply, of: index, spec) }
    let reply = copy reply
    withReplies(range) { defaultReply, otherReply in
      if comparer.areEqual(spec.comparison, defaultReply, otherReply) { return }
      if ReplyComparer.isRefusal(defaultReply) || ReplyComparer.isRefusal(otherReply) {
        return core.database.metrics.uncomparedReplies.increment()
      }
      if elements[index].effect.isRead { core.database.rechecks?.add(core.batch, index, routing: core.routing) }
      let kind = core.batch.withCommand(index) {
        DiffKind(of: spec, $0, reply, otherReply: otherReply, defaultReply: defaultReply)
      }
      diff.add(
        index: index,
        command: spec.id,
        kind: kind,
        defaultReply: PipelineDiff.describe(defaultReply, isFull: logsValues),
        otherReply: PipelineDiff.describe(otherReply, isFull: logsValues)
      )
      if runsOnBoth(index) { scriptDiffered(at: index) }
    }
  }

  /// Marks the elements that concern a key whose copy is in flight now, or will be: it may end before they are
  /// answered.
  func noteKeysBeingCopied() {
    guard core.routing.isDual, kind != .single else { return }
    guard !core.other.isWhole || !core.database.pendingDumps.isEmpty else { return }
    for index in elements.indices {
      let spec = core.batch.spec(index)
      core.batch.withCommand(index) { command in
        elements[index].wasBeingCopied = core.other.keysBeingCopied.hasKey(of: command, spec)
        elements[index].wasPending = core.database.pendingDumps.hasKey(of: command, spec)
      }
    }
  }

  /// Whether a reply is the time to live of a key that a later command of the batch changes: the default store is asked
  /// for it after all commands, so that the other store may have got the last one before.
  private func isPassingDeadline(_ index: Int, _ spec: CommandSpec) -> Bool {
    guard spec.comparison == .seconds || spec.comparison == .milliseconds else { return false }
    var key: [UInt8] = []
    core.batch.withCommand(index) { spec.forEachKey(ofCommand: $0) { key = $0.array } }
    func names(_ other: Int) -> Bool {
      let spec = core.batch.spec(other)
      return core.batch.withCommand(other) { spec.hasKey(ofCommand: $0) { $0.array == key } }
    }
    return elements.indices.contains { elements[$0].hasDeadline && names($0) }
      && (index + 1..<elements.count).contains { !elements[$0].effect.isRead && names($0) }
  }

  /// Whether the other store's reply can't be judged: one of the element's keys is, or was, being copied there as a
  /// whole, because of an earlier command of the batch or another client's; or its last write there failed, which is
  /// counted already.
  ///
  /// The other store answers in order. So a copy that is needed because a write before this one found no key there has
  /// begun by the time at which this one is answered, though it had not when this one was sent.
  private func isUnsettled(_ index: Int) -> Bool {
    while firstUnsettled < index {
      if elements[firstUnsettled].effect.keysToCopy != nil {
        core.batch.withCommand(firstUnsettled) { command in
          core.batch.bytesSpec(firstUnsettled).forEachKey(ofCommand: command) { unsettledKeys.insert($0.array) }
        }
      }
      firstUnsettled += 1
    }
    if elements[index].wasBeingCopied || elements[index].wasPending { return true }
    if !core.other.isWhole || !core.database.pendingDumps.isEmpty {
      let spec = core.batch.bytesSpec(index)
      let isOutdated = core.batch.withCommand(index) { command in
        core.other.keysBeingCopied.hasKey(of: command, spec) || core.other.isStale(command, spec)
          || core.database.pendingDumps.hasKey(of: command, spec)
      }
      if isOutdated { return true }
    }
    guard !unsettledKeys.isEmpty else { return false }
    return core.batch.withCommand(index) { command in
      core.batch.bytesSpec(index).hasKey(ofCommand: command) { unsettledKeys.contains($0.array) }
    }
  }

  /// Substitutes the other store's reply for a miss of the default store, unless it is a miss too.
  ///
  /// - Parameter outdated: the elements of the other store's reply that are not used.
  private func substitute(
    _ reply: borrowing Reply,
    for index: Int,
    _ spec: CommandSpec,
    _ range: Range<Int>,
    except outdated: Set<Int> = []
  ) {
    let reply = copy reply
    // An error of the command shows that the other store has the key, unless it says that it has not, or the default
    // store has parts of it.
    let saysMiss = core.batch.withCommand(index) { spec.miss.isMiss(reply, of: $0) }
    let isError = reply.isErrorOfCommand && !saysMiss
    guard reply.kind != .error || isError || saysMiss else { return }
    // Only a miss of the primary is a fallback; a miss of the secondary is a diff and nothing else.
    let isFallback = core.routing.defaultStore == .primary
    if isFallback { core.database.metrics.fallbackAfterMiss.increment() }
    let start = substitutes.count
    let isMiss: Bool
    if isError {
      isMiss = spec.miss == .anyNullElement && !withReplies(range) { reply, _ in ElementFill.isWholeReply(reply) }
      if !isMiss { otherReply.withSpan { substitutes.append($0) } }
    } else if spec.miss == .anyNullElement {
      isMiss = !withReplies(range) { ElementFill.merge($0, $1, except: outdated, into: &substitutes) }
    } else {
      isMiss = saysMiss
      if !isMiss { otherReply.withSpan { substitutes.append($0) } }
    }
    guard !isMiss else {
      if isFallback { core.database.metrics.trueMisses.increment() }
      return
    }
    elements[index].substitute = start..<substitutes.count
    if isFallback { core.database.reporter.fellBack(core.batch, index) }
  }

  /// Lends the default store's encoded reply, which is at `range` in `replies`, and the other store's to `body`.
  private func withReplies<Result>(_ range: Range<Int>, _ body: (Span<UInt8>, Span<UInt8>) -> Result) -> Result {
    replies.withSpan { replies in
      otherReply.withSpan { body(replies.extracting(range), $0) }
    }
  }
}
