/// The methods that a route can answer; HEAD is answered wherever GET is.
public enum HTTPMethod: String, Sendable, CaseIterable {
  /// Reads.
  case get = "GET"
  /// Changes or creates.
  case post = "POST"
  /// Takes away.
  case delete = "DELETE"
}

/// One name and value of a query, a form or a header, in the order in which they came.
public struct HTTPField: Sendable, Hashable {
  /// The name, decoded.
  public let name: String
  /// The value, decoded; empty when there was none.
  public let value: String

  /// A field.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A request as a route's handler sees it: read to its end, and already checked for size and permission.
public struct HTTPRequest: Sendable {
  /// The method; GET for HEAD, whose body the server leaves out by itself.
  public let method: HTTPMethod
  /// The path, decoded, without the query.
  public let path: String
  /// What stood where the route's path has its `{name}`, decoded; nil for a route without one.
  public let pathParameter: String?
  /// The fields of the query.
  public let query: [HTTPField]
  /// The fields of a body of type `application/x-www-form-urlencoded`; empty for other bodies.
  public let form: [HTTPField]
  /// The header fields.
  public let headers: [HTTPField]
  /// The body as it came, at most ``HTTPLimits/maximumBodyBytes`` long.
  public let body: [UInt8]

  /// The values of a header field, whatever the case of its name, joined by commas as RFC 9110 section 5.3 allows.
  public func header(_ name: String) -> String? {
    headers.joinedValue(of: name)
  }
}

extension [HTTPField] {
  func joinedValue(of name: String) -> String? {
    let name = name.lowercased()
    let values = filter { $0.name.lowercased() == name }.map(\.value)
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }
}
