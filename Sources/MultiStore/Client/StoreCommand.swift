internal import RESP

/// A command with its arguments and the type of its reply.
///
/// The typed commands are static functions, so that Swift completes them behind a dot: `.get("user:1")`. The same
/// value can be sent alone, go into a pipeline or into a transaction. A command that is not among them can be sent by
/// its name (``MultiStoreClient/send(_:_:)``), or be made typed:
///
/// ```swift
/// extension StoreCommand where Reply == String? {
///   static func objectEncoding(_ key: String) -> StoreCommand {
///     StoreCommand("OBJECT", "ENCODING", key) { $0 == .null ? .some(nil) : $0.text }
///   }
/// }
/// ```
public struct StoreCommand<Reply: Sendable>: Sendable {
  /// The command's name and arguments.
  let arguments: [[UInt8]]
  /// Makes a value of a reply; nil if the reply is not of the type that the command promises.
  let decode: @Sendable (RESPValue) -> Reply?

  /// A custom command.
  ///
  /// - Parameters:
  ///   - name: the command's name, in upper or lower case.
  ///   - arguments: the arguments after the name, a subcommand included.
  ///   - decode: makes a value of a reply; nil if the reply is not of the expected type. Never called with an error
  ///     reply.
  public init(_ name: String, _ arguments: any StoreArgument..., decode: @escaping @Sendable (RESPValue) -> Reply?) {
    self.init(name, arguments.map(\.argumentBytes), decode: decode)
  }

  init(_ name: String, _ arguments: [[UInt8]], decode: @escaping @Sendable (RESPValue) -> Reply?) {
    self.arguments = [name.argumentBytes] + arguments
    self.decode = decode
  }

  /// The value of a reply.
  ///
  /// - Throws: ``MultiStoreError`` with code `errorReply` or `unexpectedReply`.
  func value(of reply: RESPValue) throws(MultiStoreError) -> Reply {
    if case .error(let message) = reply { throw MultiStoreError(.errorReply, message) }
    guard let value = decode(reply) else {
      let name = String(decoding: arguments[0], as: UTF8.self)
      throw MultiStoreError(
        .unexpectedReply,
        "the reply to \(name) is \(reply.typeName), which its type has no place for"
      )
    }
    return value
  }
}
