internal import Logging
internal import RESP

/// Comparing once more what differed.
extension Database {
  /// The replies to a read in a pipeline or a transaction differed.
  func recheck(_ batch: CommandBatch, _ index: Int, routing: Routing) {
    guard let rechecks else { return }
    batch.withCommand(index) { rechecks.add($0, batch.spec(index), routing: routing) }
  }

  /// Whether one of the keys of `command` waits for its dump, which the other store will get.
  func awaitsDump(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard !pendingDumps.isEmpty else { return false }
    return spec.hasKey(ofCommand: command) { pendingDumps[$0.array] != nil }
  }

  /// The replies to a read differed, and did so again. A key that the other store still lacks is counted, without an
  /// event.
  func differsPersistently(_ read: DifferentRead, _ kind: DiffKind, _ defaultReply: [UInt8], _ otherReply: [UInt8]) {
    metrics.differsPersistently(read.spec.id, kind)
    guard kind == .mismatch else { return }
    instance.report(.persistentDiff) {
      let isFull = configuration.logValues
      let ofDefault = PipelineDiff.describe(defaultReply.span, isFull: isFull)
      let ofOther = PipelineDiff.describe(otherReply.span, isFull: isFull)
      let isPrimary = read.routing.defaultStore == .primary
      return Event(
        eventClass: .persistentDiff,
        exception: ReportedException(
          .persistentDiff,
          "A read that differed in a pipeline differs still, \(DiffRechecks.delay) later. "
            + "Result from the primary: \(isPrimary ? ofDefault : ofOther). "
            + "Result from the secondary: \(isPrimary ? ofOther : ofDefault)."
        ),
        commandName: read.spec.label
      )
    }
  }
}
