internal import Hiredis
internal import RESP

/// The reason why the other store did not execute a write of the default store.
struct CopyFailure: Equatable {
  let reason: CopyFailureReason
  /// The exception that redis-rb would have raised; without keys or values.
  let exception: ReportedException
  /// Whether it is that of the store that was to get the copy, and not of the one that the key was read from.
  private(set) var isOfTarget = false
  /// Whether the store executes no command at present, whatever it is.
  private let isOfBusyStore: Bool

  /// Whether the store has refused the command itself, so that it would do so again.
  var isRefusal: Bool { reason == .errorReply && !isOfBusyStore }

  /// The same, of the store that was to get the copy.
  var ofTarget: CopyFailure {
    var failure = self
    failure.isOfTarget = true
    return failure
  }

  init(_ failure: ConnectionFailure) {
    isOfBusyStore = false
    reason = failure.copyFailureReason
    exception = ReportedException(failure)
  }

  /// The failure of a copy by contents that are more than one command may have.
  init(tooLargeFor role: StoreRole) {
    isOfBusyStore = false
    reason = .errorReply
    exception = ReportedException(.command, "the key has too many elements for one command of the \(role.label) store")
  }

  /// The failure of a copy whose source does not answer as a server does.
  init(senselessReplyOf role: StoreRole) {
    isOfBusyStore = false
    reason = .errorReply
    exception = ReportedException(.command, "the \(role.label) store answered something that is no key")
  }

  /// The failure of a copy whose source has come back as another process since it was asked.
  init(replacedSource role: StoreRole) {
    self.init(.notConnected(reason: "the \(role.label) store came back as another process"))
  }

  /// The failure that is a reply to a command of which a store can't give it, or an error.
  init(unexpected reply: borrowing Reply, of role: StoreRole) {
    if reply.kind == .error { self.init(reply) } else { self.init(senselessReplyOf: role) }
  }

  /// The failure that is an error reply.
  init(_ reply: borrowing Reply) {
    reason = .errorReply
    isOfBusyStore = reply.knownErrorCode == .busy || reply.knownErrorCode == .loading
    exception = ReportedException(errorReply: reply.errorCode)
  }
}

extension ConnectionFailure {
  fileprivate var copyFailureReason: CopyFailureReason {
    switch self {
    case .notConnected, .busy, .closed: .unavailable
    case .connectionLost: .lost
    case .timedOut: .timeout
    case .queueFull: .queueFull
    }
  }
}
