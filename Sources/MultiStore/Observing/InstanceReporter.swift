internal import CoreMetrics
internal import EventLoop
internal import Logging
internal import RESP

/// Counts and logs the failures of an instance, and the differences between its stores. Loop-confined.
final class InstanceReporter {
  private let loop: EventLoop
  private let metrics: InstanceMetrics
  private let hasPrimary: Bool
  /// Whether keys and values may be put into events.
  private let logsValues: Bool
  private var events: EventReporter

  init(
    on loop: EventLoop,
    configuration: MultiStoreConfiguration,
    metrics: InstanceMetrics,
    logger: Logger,
    factory: any MetricsFactory
  ) {
    self.loop = loop
    self.metrics = metrics
    hasPrimary = configuration.primary != nil
    logsValues = configuration.logValues
    events = EventReporter(
      instance: configuration.name,
      eventsPerSecond: configuration.eventsPerSecond,
      logger: logger,
      factory: factory
    )
  }

  /// Counts and logs a command that is neither a known read nor a known write.
  func methodMissing(_ id: CommandID) {
    guard hasPrimary, CommandTable.spec(id).countsAsMethodMissing else { return }
    metrics.methodMissing(id)
    report(.methodMissing) {
      Event(
        eventClass: .methodMissing,
        exception: ReportedException(
          .methodMissing,
          "Method missing. Falling back to execute method on the redis default store."
        ),
        commandName: CommandTable.spec(id).label
      )
    }
  }

  /// Counts and logs a fallback: the secondary had what the primary lacked.
  func fellBack(_ batch: CommandBatch, _ index: Int = 0) {
    let spec = batch.spec(index)
    metrics.fellBack(spec.id)
    report(.readFromPrimary) {
      Event(
        eventClass: .readFromPrimary,
        exception: ReportedException(
          .readFromPrimary,
          "Value not found on the redis primary store. Read from the redis secondary store successful."
        ),
        commandName: spec.label,
        extra: shownCommand(batch, index)
      )
    }
  }

  /// Logs that a store could not be sent a read, or did not answer it.
  func readFailed(_ batch: CommandBatch, on role: StoreRole, _ exception: ReportedException) {
    storeFailed(exception, command: batch.spec(0).label, "Failed to read from the redis \(role.messageName).")
  }

  /// Logs that a write did not reach `role`'s store.
  func writeFailed(_ command: CommandSpec, on role: StoreRole, _ exception: ReportedException) {
    storeFailed(exception, command: command.label, "Failed to write to the redis \(role.messageName).")
  }

  /// Counts and logs that a key could not be copied whole to `target`.
  ///
  /// - Parameter isCounted: false in the background, where the write that failed was counted.
  func keyCopyFailed(to target: Store, _ failure: CopyFailure, isCounted: Bool = true) {
    if isCounted { target.metrics.copyFailed(failure.reason) }
    let message = "Failed to write to the redis \(target.role.messageName)."
    storeFailed(failure.exception, command: "restore", message)
  }

  /// Logs that a store failed in a pipeline or a transaction.
  func pipelineFailed(_ kind: BatchKind, on role: StoreRole, _ exception: ReportedException) {
    let message = "Failed to execute pipeline on the redis \(role.messageName)."
    storeFailed(exception, command: kind.label, message)
  }

  /// Counts and logs a pipeline or transaction that both stores answered differently.
  func differed(_ kind: BatchKind, _ diff: PipelineDiff, defaultStore: StoreRole) {
    metrics.differed(kind, diff)
    report(.pipelinedDiff) {
      let ofPrimary = defaultStore == .primary ? diff.defaultDescription : diff.otherDescription
      let ofSecondary = defaultStore == .primary ? diff.otherDescription : diff.defaultDescription
      return Event(
        eventClass: .pipelinedDiff,
        exception: ReportedException(
          .pipelinedDiff,
          "Pipelined command executed on both stores successfully but results differ between them. "
            + "Result from the primary: \(ofPrimary). Result from the secondary: \(ofSecondary)."
        ),
        commandName: kind.label,
        extra: [
          "extra.first_differing_index": .stringConvertible(diff.firstIndex),
          "extra.first_differing_command": "\(diff.firstCommand.map { CommandTable.spec($0).label } ?? "")",
          "extra.first_differing_kind": "\(diff.firstKind.rawValue)",
          "extra.differing_elements": .stringConvertible(diff.count),
          "extra.missing_elements": .stringConvertible(diff.gapCount),
        ]
      )
    }
  }

  /// Counts and logs a read whose replies differed twice. A key that the other store still lacks is counted, without an
  /// event.
  func differsPersistently(_ read: DifferentRead, _ kind: DiffKind, _ defaultReply: [UInt8], _ otherReply: [UInt8]) {
    metrics.differsPersistently(read.spec.id, kind)
    guard kind == .mismatch else { return }
    report(.persistentDiff) {
      let isFull = logsValues
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

  /// Logs a key that a verification or a settled check has found different.
  func found(_ difference: KeyDifference, key: [UInt8], by finder: String) {
    report(.keyDifference) {
      let name = logsValues ? String(decoding: key.prefix(256), as: UTF8.self) : PipelineDiff.digest(key.hashValue)
      return Event(
        eventClass: .keyDifference,
        exception: ReportedException(.keyDifference, "A key differs between the stores: \(difference.rawValue)."),
        commandName: finder,
        extra: ["extra.difference": "\(difference.rawValue)", "extra.key": "\(name)"]
      )
    }
  }

  private func storeFailed(_ exception: ReportedException, command: String, _ errorMessage: String) {
    report(.storeFailure) {
      Event(eventClass: .storeFailure, exception: exception, commandName: command, errorMessage: errorMessage)
    }
  }

  /// Hands an event to the log, unless the rate limit of its class is reached.
  private func report(_ eventClass: EventClass, _ make: () -> Event) {
    events.report(eventClass, now: loop.now, make)
  }

  /// The command with its arguments, if the configuration asks for values in events.
  private func shownCommand(_ batch: CommandBatch, _ index: Int) -> Logger.Metadata {
    guard logsValues else { return [:] }
    let words = batch.withCommand(index) { command in
      var words: [String] = []
      var arguments = ArgumentCursor(command)
      while words.count < 16, let argument = arguments.next() {
        words.append(String(decoding: argument.array.prefix(256), as: UTF8.self))
      }
      return words
    }
    return ["extra.command": .array(words.map { .string($0) })]
  }
}
