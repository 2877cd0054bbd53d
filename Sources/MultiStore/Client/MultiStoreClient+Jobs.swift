internal import EventLoop

extension MultiStoreClient {
  /// Starts a backfill or a verification.
  ///
  /// ```swift
  /// for await progress in try await sessions.startJob(KeyJobRequest(.backfill)) {
  ///   print(progress.share ?? 0, progress.count(.copied))
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - request: the job; one at a time may be under way.
  ///   - who: the operator's name, for the log.
  /// - Returns: the job's progress, four times a second, until it has ended. The job goes on if nobody reads it.
  /// - Throws: ``KeyJobRefusal``, or ``MultiStoreError`` with code `closed`.
  public func startJob(_ request: KeyJobRequest, who: String = "") async throws -> KeyJobUpdates {
    try await onLoop { instance in Result { () throws(KeyJobRefusal) in try instance.startJob(request, who: who) } }
      .get()
    return KeyJobUpdates(of: request.kind, status: status)
  }

  /// Pauses, continues, cancels or slows down a job.
  ///
  /// - Throws: ``KeyJobRefusal``, or ``MultiStoreError`` with code `closed`.
  public func changeJob(_ kind: KeyJobKind, _ change: KeyJobChange, who: String = "") async throws {
    try await onLoop { instance in
      Result { () throws(KeyJobRefusal) in try instance.changeJob(kind, change, who: who) }
    }
    .get()
  }
}

/// The progress of a job, four times a second, until it has ended: the last element is its report.
public struct KeyJobUpdates: AsyncSequence, Sendable {
  private static let pause = Duration.milliseconds(250)

  private let kind: KeyJobKind
  private let status: InstanceStatus

  init(of kind: KeyJobKind, status: InstanceStatus) {
    self.kind = kind
    self.status = status
  }

  /// Delivers the elements.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let updates: KeyJobUpdates
    private var isFirst = true
    private var hasEnded = false

    fileprivate init(_ updates: KeyJobUpdates) {
      self.updates = updates
    }

    /// The next element; nil after the end of the job, or of the task.
    public mutating func next() async -> KeyJobProgress? {
      guard !hasEnded else { return nil }
      if !isFirst, (try? await Task.sleep(for: KeyJobUpdates.pause)) == nil { return nil }
      isFirst = false
      let progress = updates.status.jobs.first { $0.request.kind == updates.kind }
      hasEnded = progress?.state.hasEnded != false
      return progress
    }
  }

  /// An iterator from the present progress on.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }
}
