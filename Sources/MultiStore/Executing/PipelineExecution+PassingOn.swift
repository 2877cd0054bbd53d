internal import BasicContainers
internal import CoreMetrics
internal import Hiredis
internal import RESP

/// Passing large replies on to the client before the other store has been asked, so that a pipeline of them is not
/// kept in memory. A digest of each stays for the comparison.
extension PipelineExecution {
  /// A reply of this size is passed on as soon as it is final.
  static let passedOnBytes = 32 << 10

  /// Passes on the default store's reply at `index`, which has just arrived, and the replies before it, if it is large.
  func passOn(through index: Int) {
    let start = replyStart(of: index)
    let spec = core.batch.spec(index)
    guard kind == .pipelined, replies.count - start >= Self.passedOnBytes, let sink = core.sink,
      ReplyDigest.isPossible(spec.comparison, comparer.mode), spec.miss != .anyNullElement,
      (passedOn.count...index).allSatisfy(isFinal)
    else { return }
    let (comparison, mode) = (spec.comparison, comparer.mode)
    replies.withSpan { replies in
      elements[index].digest = digests.count
      digests.append(ReplyDigest(replies.extracting(start...), comparison, mode))
      sink.passOn(replies.extracting(passedOn.end...))
    }
    replies.truncate(to: start)
    elements[index].end = start
    passedOn = (index + 1, start)
  }

  /// Whether the client's reply at `index` is final: no later event can change it, or has to come before it.
  private func isFinal(_ index: Int) -> Bool {
    // The other store may have what the default store lacks.
    if elements[index].isMiss { return core.routing.readPolicy != .fallback }
    if elements[index].effect.isRead || core.database.configuration.writeAcknowledgement == .defaultStore {
      return true
    }
    return !elements[index].effect.isPending
  }

  /// Compares the other store's reply, which is in `otherReply`, with one that was passed on.
  func compareDigests(with reply: borrowing Reply, of index: Int, _ spec: CommandSpec) {
    let digest = digests[elements[index].digest]
    if spec.comparison == .ignored, comparer.mode == .canonical { return }
    let other = otherReply.withSpan { ReplyDigest($0, spec.comparison, comparer.mode) }
    guard digest != other else { return }
    if otherReply.withSpan({ ReplyComparer.isRefusal($0) }) {
      return core.database.metrics.uncomparedReplies.increment()
    }
    if elements[index].effect.isRead { core.database.rechecks?.add(core.batch, index, routing: core.routing) }
    let reply = copy reply
    let kind = otherReply.withSpan { otherReply in
      core.batch.withCommand(index) { DiffKind(of: spec, $0, reply, otherReply: otherReply, defaultReply: Span()) }
    }
    diff.add(
      index: index,
      command: spec.id,
      kind: kind,
      defaultReply: digest.description,
      otherReply: reply.kind == .string || reply.kind == .array
        ? other.description : otherReply.withSpan { PipelineDiff.describe($0, isFull: logsValues) }
    )
  }
}
