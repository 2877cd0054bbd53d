internal import CoreMetrics
internal import Hiredis
internal import RESP

/// Memory that copies are written into.
struct CopyBuffers: ~Copyable {
  /// A command that replaces the client's.
  var scratch = ByteBuffer()
  /// Commands wrapped in the ``PresenceGuard``.
  var guarded = ByteBuffer()

  mutating func removeAll(keepingCapacityUpTo limit: Int) {
    scratch.removeAll(keepingCapacityUpTo: limit)
    guarded.removeAll(keepingCapacityUpTo: limit)
  }
}

/// The work of every holder of an ``EffectCopy``: planning the copy, guarding it, judging the other store's reply, and
/// accounting for it. The holder itself sends.
extension ExecutionCore {
  /// Handles the default store's reply to the write at `index`.
  ///
  /// - Parameters:
  ///   - isOnOrdinary: whether the reply came over the default store's ordinary connection.
  ///   - isOrdered: whether the reply's position among those of other writes is known.
  func defaultStoreReplied(
    _ reply: borrowing Reply,
    to index: Int,
    isOnOrdinary: Bool,
    isOrdered: Bool,
    _ effect: inout EffectCopy,
    _ buffers: inout CopyBuffers
  ) -> EffectCopy.Action {
    let spec = batch.spec(index)
    if spec.changesFunctions {
      let isExecuted = reply.kind != .error
      batch.withCommand(index) { database.instance.changeOfFunctionsWasAnswered($0, spec, isExecuted: isExecuted) }
    }
    guard reply.kind != .error || (routing.isDual && spec.mayHaveWritten(despite: reply)),
      !(spec.traits.contains(.pops) && hasPoppedNothing(reply))
    else { return effect.defaultStoreReplied(hasEffect: false) }
    if !isOnOrdinary, let rechecks = database.rechecks {
      batch.withCommand(index) { rechecks.noteChange(ofKeysIn: $0, spec) }
    }
    let reply = copy reply
    if effect.isAskingForDeadline {
      return effect.defaultStoreReplied(
        hasEffect: batch.withCommand(index) { CopyPlanner.tookEffect(spec.effect, $0, after: reply) }
      )
    }
    _ = effect.defaultStoreReplied(hasEffect: true)
    if spec.traits.mayBlock, !isOrdered {
      let plan = database.copyPlanner(for: other).planUnordered(spec.effect, after: reply)
      return follow(plan, of: index, spec, &effect, &buffers)
    }
    let repeats = spec.commandClass != .script && batch.withCommand(index) { CopyPlanner.repeats(spec.effect, $0) }
    // The most frequent case. Such a command has no options by which it would change a part of a key.
    let hasOutdatedKeys = !other.stale.isEmpty || !database.pendingDumps.isEmpty
    if repeats, !hasOutdatedKeys, !spec.traits.contains(.changesPart), !defaultStore.hasStale(for: spec) {
      return effect.planned(.verbatim)
    }
    let plan = batch.withCommand(index) { command in
      if repeats { return CopyPlan.verbatim }
      return scriptPlan(command, spec, isOnOrdinary: isOnOrdinary, isRefused: reply.isErrorOfStore)
        ?? database.copyPlanner(for: other).plan(spec.effect, command, after: reply, into: &buffers.scratch)
    }
    return follow(plan, of: index, spec, &effect, &buffers)
  }

  /// Whether a pop has found nothing while the other store is away. It is repeated there only for the comparison of the
  /// replies, and marking its keys as stale would delete those that the other store alone has.
  private func hasPoppedNothing(_ reply: borrowing Reply) -> Bool {
    (reply.kind == .nil || reply.kind == .array && reply.count == 0) && !other.ordinary.takesCommands
  }

  /// Plans a script that both stores execute; nil for other commands, and for one whose keys have to be copied, since
  /// it would find outdated ones on the other store, or do there what the default store has refused.
  private func scriptPlan(
    _ command: Span<UInt8>,
    _ spec: CommandSpec,
    isOnOrdinary: Bool,
    isRefused: Bool
  ) -> CopyPlan? {
    let instance = database.instance
    guard instance.runsOnBoth(spec, routing) else { return nil }
    guard isOnOrdinary, !isRefused, !isOutdated(command, spec),
      instance.repeatability(of: command, spec) == .repeatable
    else {
      // Nobody knows what else it has changed.
      if !isRefused { database.metrics.uncopiedWrite(spec.id) }
      instance.mayDiffer()
      return nil
    }
    return .verbatim
  }

  /// Plans the copy of the write at `index` once the deadline of its key, or of its fields, is known.
  ///
  /// A later command of the same batch may have removed the deadline again; then the sidecar's clock is used, and the
  /// copy of the later command removes the deadline on the other store too. Where fields have several deadlines, the
  /// whole key is copied, since a command gives all of them the same one.
  func deadlineIsKnown(
    _ answer: DeadlineQuestion.Answer,
    of index: Int,
    _ effect: inout EffectCopy,
    _ buffers: inout CopyBuffers
  ) -> EffectCopy.Action {
    let action = effect.deadlineKnown()
    guard action == .plan else { return action }
    let spec = batch.spec(index)
    guard answer != .several else { return follow(.keys(.first), of: index, spec, &effect, &buffers) }
    var planner = database.copyPlanner(for: other)
    if case .at(let milliseconds) = answer { planner.knownDeadline = milliseconds }
    let plan = batch.withCommand(index) { planner.expiring(spec.effect, $0, into: &buffers.scratch) }
    return follow(plan, of: index, spec, &effect, &buffers)
  }

  /// Whether the other store has an outdated value of a key of `command`: the key is stale there, or will be copied
  /// whole because of an earlier command (RENAME k z, then RPUSH k).
  private func isOutdated(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    other.isStale(command, spec) || database.pendingDumps.hasKey(of: command, spec)
  }

  /// Replaces the client's command in the batch by a changed one, and guards one that changes a part of a key: where
  /// the other store's value is outdated it can't be used. Neither can one that answers with the value from before,
  /// which may have another type, nor any that names a key which will be copied whole.
  private func follow(
    _ plan: CopyPlan,
    of index: Int,
    _ spec: CommandSpec,
    _ effect: inout EffectCopy,
    _ buffers: inout CopyBuffers
  ) -> EffectCopy.Action {
    if plan != .noEffect, defaultStore.hasStale(for: spec) {
      batch.withCommand(index) { defaultStore.clearStale($0, spec, begunAt: begunAt) }
    }
    let action = effect.planned(plan)
    switch action {
    case .send:
      if plan != .verbatim { batch.replace(index, with: &buffers.scratch) }
      let dependsOnValue = batch.withCommand(index) { command in
        CopyPlanner.changesPart(command, spec) || database.pendingDumps.hasKey(of: command, batch.bytesSpec(index))
          || other.isStale(command, spec) && CopyPlanner.answersOldValue(command, spec)
      }
      guard dependsOnValue else { return .send }
      let start = buffers.guarded.count
      let isOfUse = batch.withCommand(index) {
        !isOutdated($0, batch.bytesSpec(index)) && PresenceGuard.wrap($0, into: &buffers.guarded)
      }
      return effect.guarded(at: isOfUse ? start..<buffers.guarded.count : nil)
    case .leaveUncopied:
      if spec.staysUncopied || spec.effect != .none {
        batch.withCommand(index) { other.markStale($0, spec, because: .uncopied) }
        database.metrics.uncopiedWrite(spec.id)
      }
      return .finish
    default: return action
    }
  }

  /// Handles the other store's reply to the copy of the command at `index`.
  ///
  /// - Parameter known: the meaning of the reply, if the holder knows it.
  func otherStoreReplied(
    _ reply: borrowing Reply,
    to index: Int,
    _ effect: inout EffectCopy,
    as known: EffectCopy.Answer? = nil
  ) -> EffectCopy.Action {
    if database.notesWrittenKeys { noteWrittenKeys(of: index) }
    let action = effect.otherStoreReplied(known ?? PresenceGuard.answer(reply, to: effect.form))
    switch action {
    case .noteFresh where !other.hasStale(for: batch.bytesSpec(index)): break
    case .noteFresh:
      batch.withCommand(index) { other.clearStale($0, batch.bytesSpec(index), begunAt: begunAt) }
    case .noteStale:
      copyFailed(CopyFailure(reply), at: index)
    case .loadGuardAndCopyKeys:
      other.loadPresenceGuard()
      return .copyKeys(.all)
    default: return action
    }
    return .finish
  }

  /// Notes the keys of a write, which are compared when they have become quiet.
  private func noteWrittenKeys(of index: Int) {
    let spec = batch.bytesSpec(index)
    guard spec.effect != .none else { return }
    let now = begunAt
    batch.withCommand(index) { command in
      spec.forEachKey(ofCommand: command) { database.quietKeys.note($0, now: now) }
    }
  }

  /// Counts and reports a failed copy of the command at `index`.
  func copyFailed(_ failure: CopyFailure, at index: Int) {
    other.copyFailed(batch, index, failure.reason)
    database.reporter.writeFailed(batch.spec(index), on: other.role, failure.exception)
  }
}

extension PresenceGuard {
  /// Interprets a reply to a command that moves an element, which is what the default store has answered.
  static func answer(_ reply: borrowing Reply, to form: EffectCopy.Form?, moved: Span<UInt8>) -> EffectCopy.Answer {
    let answer = answer(reply, to: form)
    return answer == .executed && !reply.isEncoded(in: moved) ? .hadOtherKeys : answer
  }

  /// Interprets a reply to a command of `form`.
  static func answer(_ reply: borrowing Reply, to form: EffectCopy.Form?) -> EffectCopy.Answer {
    if case .guarded = form {
      if wasSkipped(reply) { return reply.kind == .error ? .guardMissing : .keyAbsent }
      if leftFragment(reply) { return .leftFragment }
    }
    return reply.kind == .error ? .refused : .executed
  }
}
