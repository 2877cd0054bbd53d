internal import CoreMetrics
public import Hiredis
internal import Logging
public import RESP

/// Counting and logging what goes wrong.
extension Database {
  /// Counts a command that was refused because too much is waiting for the store of `connection` already.
  public func refused(by connection: HiredisConnection) {
    store(owning: connection)?.metrics.rejected.increment()
  }

  /// A command outside of routing is about to be sent to the default store alone: it is counted as what it is, and what
  /// it may change is stale on the other store.
  public func willExecuteOnDefaultStoreAlone(_ command: Span<UInt8>, _ spec: CommandSpec, routing: Routing) {
    instance.methodMissing(spec.id)
    instance.noteScript(in: command, spec)
    guard routing.isDual, spec.staysUncopied else { return }
    store(routing.defaultStore.other).markStale(command, spec)
    metrics.uncopiedWrite(spec.id)
  }

  func leftUncopied(_ batch: CommandBatch, _ index: Int, on role: StoreRole) {
    let spec = batch.spec(index)
    batch.withCommand(index) { store(role).markStale($0, spec) }
    metrics.uncopiedWrite(spec.id)
  }

  /// The secondary had what the primary lacked.
  func fellBack(_ batch: CommandBatch, _ index: Int = 0) {
    let spec = batch.spec(index)
    metrics.fellBack(spec.id)
    instance.report(.readFromPrimary) {
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

  func readFailed(_ batch: CommandBatch, on role: StoreRole, _ exception: ReportedException) {
    storeFailed(
      exception,
      command: batch.spec(0).label,
      "Failed to read from the redis \(role.messageName)."
    )
  }

  func copyFailed(_ batch: CommandBatch, _ index: Int, on role: StoreRole, _ failure: CopyFailure) {
    noteCopyFailure(batch, index, on: role, failure)
    storeFailed(
      failure.exception,
      command: batch.spec(index).label,
      "Failed to write to the redis \(role.messageName)."
    )
  }

  /// Counts a write that did not reach `role`'s store, where its keys are stale now, without an event of its own.
  func noteCopyFailure(_ batch: CommandBatch, _ index: Int, on role: StoreRole, _ failure: CopyFailure) {
    let store = store(role)
    batch.withCommand(index) { store.markStale($0, batch.bytesSpec(index)) }
    store.metrics.copyFailed(failure.reason)
  }

  /// A key could not be copied whole, and is stale on `role`'s store.
  func keyCopyFailed(on role: StoreRole, _ failure: CopyFailure) {
    store(role).metrics.copyFailed(failure.reason)
    storeFailed(
      failure.exception,
      command: "restore",
      "Failed to write to the redis \(role.messageName)."
    )
  }

  /// The default store may or may not have executed a write, so the other store may or may not lack it.
  func markUnknown(_ batch: CommandBatch, _ index: Int, on role: StoreRole) {
    let spec = batch.spec(index)
    // By its options a command that may write can be a read: SORT without STORE.
    guard spec.effect != .none || spec.staysUncopied,
      batch.withCommand(index, { spec.commandClass(ofCommand: $0) }) != .read
    else { return }
    let store = store(role)
    batch.withCommand(index) { store.markStale($0, batch.bytesSpec(index)) }
    store.metrics.copyFailed(.defaultUnknown)
  }

  func pipelineFailed(_ kind: BatchKind, on role: StoreRole, _ exception: ReportedException) {
    storeFailed(
      exception,
      command: kind.label,
      "Failed to execute pipeline on the redis \(role.messageName)."
    )
  }

  /// Both stores answered a pipeline or transaction, and the answers differ.
  func differed(_ kind: BatchKind, _ diff: PipelineDiff, defaultStore: StoreRole) {
    metrics.differed(kind, diff)
    instance.report(.pipelinedDiff) {
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

  private func storeFailed(_ exception: ReportedException, command: String, _ errorMessage: String) {
    instance.report(.storeFailure) {
      Event(
        eventClass: .storeFailure,
        exception: exception,
        commandName: command,
        errorMessage: errorMessage
      )
    }
  }

  /// The command with its arguments, if the configuration asks for values in events.
  private func shownCommand(_ batch: CommandBatch, _ index: Int) -> Logger.Metadata {
    guard configuration.logValues else { return [:] }
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
