internal import Hiredis

/// The reason why a call of ``MultiStoreClient`` returned no value.
public struct MultiStoreError: Error, Hashable, Sendable {
  /// The kind of a failure. New kinds may be added, so a `switch` over them needs a `default`.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case cannotStart
      case invalidCommand
      case unsupportedCommand
      case tooManyInFlight
      case errorReply
      case unexpectedReply
      case storeUnavailable
      case outcomeUnknown
      case closed
    }

    private let kind: Kind

    /// The system had no resources for an event loop or a thread.
    public static let cannotStart = Code(kind: .cannotStart)
    /// The command has a wrong number of arguments. Nothing was sent.
    public static let invalidCommand = Code(kind: .invalidCommand)
    /// The command can't go over connections that are shared, or has another form here. Nothing was sent.
    public static let unsupportedCommand = Code(kind: .unsupportedCommand)
    /// The client's limit of commands in flight is reached. Nothing was sent.
    public static let tooManyInFlight = Code(kind: .tooManyInFlight)
    /// The store answered with an error; the message has its text.
    public static let errorReply = Code(kind: .errorReply)
    /// The store's reply is of another type than the command promises.
    public static let unexpectedReply = Code(kind: .unexpectedReply)
    /// The store could not be reached, or too many commands wait for it. It has not executed the command.
    public static let storeUnavailable = Code(kind: .storeUnavailable)
    /// The connection broke, or no reply came in time: the store may or may not have executed the command.
    public static let outcomeUnknown = Code(kind: .outcomeUnknown)
    /// The client has been closed. Nothing was sent.
    public static let closed = Code(kind: .closed)

    /// The name of the kind, such as `errorReply`.
    public var description: String { kind.rawValue }
  }

  /// The kind of the failure.
  public let code: Code
  /// The description of the failure, in a sentence. It contains no password; a store's own text may name a key.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The error for a failure of the store that a command was for.
  init(_ failure: ConnectionFailure, of role: StoreRole) {
    self.init(failure.mayHaveBeenExecuted ? .outcomeUnknown : .storeUnavailable, "\(role.label) store: \(failure)")
  }
}

extension MultiStoreError: CustomStringConvertible {
  /// The code and the message.
  public var description: String { "\(code): \(message)" }
}
