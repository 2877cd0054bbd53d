internal import Hiredis

/// Why a call of ``MultiStoreClient`` gave no value.
public struct MultiStoreError: Error, Hashable, Sendable {
  /// What kind of failure it is. New kinds may be added, so a `switch` over them needs a `default`.
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

    /// The system gave no event loop or no thread.
    public static let cannotStart = Code(kind: .cannotStart)
    /// The command has a wrong number of arguments. Nothing was sent.
    public static let invalidCommand = Code(kind: .invalidCommand)
    /// The command can't go over connections that are shared, or has another form here. Nothing was sent.
    public static let unsupportedCommand = Code(kind: .unsupportedCommand)
    /// The client's limit of commands in flight is reached. Nothing was sent.
    public static let tooManyInFlight = Code(kind: .tooManyInFlight)
    /// The store answered with an error; the message has its words.
    public static let errorReply = Code(kind: .errorReply)
    /// The store's reply is of another type than the command promises.
    public static let unexpectedReply = Code(kind: .unexpectedReply)
    /// The store could not be reached or has too much waiting already. It has not executed the command.
    public static let storeUnavailable = Code(kind: .storeUnavailable)
    /// The connection broke, or no reply came in time: the store may or may not have executed the command.
    public static let outcomeUnknown = Code(kind: .outcomeUnknown)
    /// The client has been closed. Nothing was sent.
    public static let closed = Code(kind: .closed)

    /// The name of the kind, such as `errorReply`.
    public var description: String { kind.rawValue }
  }

  /// What kind of failure it is.
  public let code: Code
  /// What went wrong, in a sentence. No password is in it; a store's own words may name a key.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// A command's store could not be asked.
  init(_ failure: ConnectionFailure, of role: StoreRole) {
    self.init(failure.mayHaveBeenExecuted ? .outcomeUnknown : .storeUnavailable, "\(role.label) store: \(failure)")
  }
}

extension MultiStoreError: CustomStringConvertible {
  /// The code and the message.
  public var description: String { "\(code): \(message)" }
}
