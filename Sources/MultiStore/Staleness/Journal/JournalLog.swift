internal import Logging

/// The messages about a journal, each with a hint to the operator. Any thread.
struct JournalLog: Sendable {
  let logger: Logger
  let instance: String
  let folder: String
  let path: String

  /// Logs that changes can't be kept, as the start has shown.
  func cannotBegin(_ failure: JournalFailure) {
    let hint =
      failure.isHeldElsewhere
      ? "stop the other process, or give each a state_directory of its own, and restart this one"
      : "let this user make and write \(folder): no restart is needed, the next change writes all that is known, and "
        + "clients are served as usual meanwhile"
    logger.error(
      "Stale keys are kept in memory only: a restart forgets them",
      metadata: metadata(["reason": "\(failure)", "hint": "\(hint)"])
    )
  }

  /// Logs a failed write after successful ones.
  func writeFailed(_ failure: JournalFailure) {
    logger.error(
      "Stale keys can't be kept: a restart will not trust the store that is not the default",
      metadata: metadata([
        "reason": "\(failure)",
        "hint":
          "make room on the disk of \(folder), or let this user write there; it is rewritten as soon as it can be",
      ])
    )
  }

  /// Logs that the file, or its folder, was removed while it was in use.
  func wasRemoved() {
    logger.warning(
      "The file of stale keys was removed: it is rewritten",
      metadata: metadata(["hint": "nothing but the sidecar may change its state_directory while it runs"])
    )
  }

  /// Logs that the file is complete again.
  func recovered() {
    logger.notice("Stale keys are kept again", metadata: metadata([:]))
  }

  /// Logs that the file can't be read.
  ///
  /// - Parameter aside: the file's new path; nil if it could not be moved.
  func damaged(because reason: String, aside: String?) {
    logger.error(
      "The file of stale keys can't be read: the store that is not the default is not trusted",
      metadata: metadata([
        "reason": "\(reason)", "put_aside": "\(aside ?? "")",
        "hint":
          "compare the stores or empty the one that is not the default; the file is of no further use to the sidecar",
      ])
    )
  }

  /// Logs that the configuration names other stores than the file.
  func adopted(_ adoption: JournalState.Adoption) {
    switch adoption {
    case .sameStores: return
    case .otherAddresses:
      logger.warning(
        "The stores have other addresses than before: the one that is not the default is not trusted",
        metadata: metadata([
          "hint":
            "compare the stores; keys that were stale still are. If the default store is another one, accept its values"
        ])
      )
    case .otherStores:
      logger.warning(
        "Stale keys of other stores are forgotten: the configuration has changed",
        metadata: metadata(["hint": "compare the stores: the one that is not the default is not trusted"])
      )
    }
  }

  private func metadata(_ more: Logger.Metadata) -> Logger.Metadata {
    more.merging(["instance_name": "\(instance)", "state_file": "\(path)"]) { $1 }
  }
}
