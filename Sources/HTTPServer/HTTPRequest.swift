/// The methods of routes; HEAD is answered wherever GET is.
public enum HTTPMethod: String, Sendable, CaseIterable {
  /// Reads.
  case get = "GET"
  /// Changes or creates.
  case post = "POST"
  /// Removes.
  case delete = "DELETE"
}

/// A name and a value of a query, a form or a header.
public struct HTTPField: Sendable, Hashable {
  /// The name, decoded.
  public let name: String
  /// The value, decoded; empty if there was none.
  public let value: String

  /// Creates a field.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A request as a route's handler gets it: complete, and checked for size and authorization.
public struct HTTPRequest: Sendable {
  /// The method; GET for HEAD, whose body the server omits.
  public let method: HTTPMethod
  /// The path, decoded, without the query.
  public let path: String
  /// The segment at the `{name}` of the route's path, decoded; nil for a route without one.
  public let pathParameter: String?
  /// The fields of the query.
  public let query: [HTTPField]
  /// The fields of a body of type `application/x-www-form-urlencoded`; empty for other bodies.
  public let form: [HTTPField]
  /// The header fields.
  public let headers: [HTTPField]
  /// The body, at most ``HTTPLimits/maximumBodyBytes`` long.
  public let body: [UInt8]

  /// Returns the values of a header field, whatever the case of its name, joined by commas (RFC 9110 section 5.3).
  public func header(_ name: String) -> String? {
    headers.joinedValue(of: name)
  }

  /// The media type of the body in lower case, without its parameters; nil if the request does not name one.
  public var mediaType: String? { headers.mediaType }
}

extension [HTTPField] {
  func joinedValue(of name: String) -> String? {
    let name = name.lowercased()
    let values = filter { $0.name.lowercased() == name }.map(\.value)
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }

  /// The media type of the body in lower case, without its parameters.
  var mediaType: String? {
    joinedValue(of: "Content-Type")?.prefix { $0 != ";" && $0 != " " }.lowercased()
  }
}
