internal import RESP

/// A command with its arguments, which knows what its reply means.
///
/// The typed commands are static functions, so that Swift completes them behind a dot: `.get("user:1")`. The same value
/// can be sent alone, go into a pipeline or into a transaction. A command that is not among them can be sent by its name
/// (``MultiStoreClient/send(_:_:)``), or be made typed:
///
/// ```swift
/// extension StoreCommand where Reply == String? {
///   static func objectEncoding(_ key: String) -> StoreCommand {
///     StoreCommand("OBJECT", "ENCODING", key) { $0 == .null ? .some(nil) : $0.text }
///   }
/// }
/// ```
public struct StoreCommand<Reply: Sendable>: Sendable {
  /// The name first.
  let arguments: [[UInt8]]
  /// Nil where the reply is not of the type that the command promises.
  let decode: @Sendable (RESPValue) -> Reply?

  /// A command of one's own.
  ///
  /// - Parameters:
  ///   - name: the command's name, in upper or lower case.
  ///   - arguments: what follows the name, a subcommand included.
  ///   - decode: makes the reply's value; nil says that the reply is not what was expected. Never called with an error
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
      throw MultiStoreError(.unexpectedReply, "the reply to \(name) is \(reply.typeName), which its type has no place for")
    }
    return value
  }

  /// The same command with another form of its value.
  ///
  /// - Parameter transform: nil says that the value has no such form, which is an `unexpectedReply`.
  public func map<Other>(_ transform: @escaping @Sendable (Reply) -> Other?) -> StoreCommand<Other> {
    StoreCommand<Other>(
      String(decoding: arguments[0], as: UTF8.self),
      Array(arguments.dropFirst()),
      decode: { [decode] in decode($0).flatMap(transform) }
    )
  }
}

// What is text can be had as `String`. Bytes that are not UTF-8 are an `unexpectedReply` then.

extension StoreCommand where Reply == [UInt8]? {
  /// The same command, its value as a string: `.get("greeting").text`.
  public var text: StoreCommand<String?> {
    map { bytes in bytes.map { String(validating: $0, as: UTF8.self) } ?? .some(nil) }
  }
}

extension StoreCommand where Reply == [[UInt8]] {
  /// The same command, its values as strings.
  public var text: StoreCommand<[String]> {
    map { list in
      let texts = list.compactMap { String(validating: $0, as: UTF8.self) }
      return texts.count == list.count ? texts : nil
    }
  }
}

extension StoreCommand where Reply == [[UInt8]?] {
  /// The same command, its values as strings.
  public var text: StoreCommand<[String?]> {
    map { list in
      let texts = list.map { $0.flatMap { String(validating: $0, as: UTF8.self) } }
      return zip(list, texts).allSatisfy { ($0 == nil) == ($1 == nil) } ? texts : nil
    }
  }
}

extension StoreCommand where Reply == [[UInt8]: [UInt8]] {
  /// The same command, its fields and values as strings.
  public var text: StoreCommand<[String: String]> {
    map { fields in
      var texts: [String: String] = [:]
      for (field, value) in fields {
        guard let field = String(validating: field, as: UTF8.self), let value = String(validating: value, as: UTF8.self)
        else { return nil }
        texts[field] = value
      }
      return texts
    }
  }
}
