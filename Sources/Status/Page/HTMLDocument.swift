/// An HTML document, and the Content-Security-Policy that it is to be sent with.
public struct HTMLDocument: Sendable, Hashable {
  /// The document from its doctype to its end.
  public let html: String
  /// The value of the header: no source but those that the document uses.
  public let contentSecurityPolicy: String
}
