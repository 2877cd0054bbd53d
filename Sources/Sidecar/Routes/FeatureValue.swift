internal import HTTPServer

/// Reads the `value` of a request that sets a feature flag.
enum FeatureValue {
  /// Returns the value if it is given exactly once in the form, the query and the JSON body taken together.
  static func read(from request: HTTPRequest) -> Bool? {
    var values = (request.query + request.form).filter { $0.name == "value" }.map(\.value)
    if request.mediaType == "application/json", !request.body.isEmpty {
      guard let value = readJSON(request.body) else { return nil }
      values.append(value)
    }
    guard values.count == 1 else { return nil }
    return ScalarValues.boolean(values[0])
  }

  /// Reads `{"value": true}` in any spacing, as GitLab's clients for Python send it; true and false may be quoted.
  ///
  /// No other member is accepted, since a flag has no other gate.
  static func readJSON(_ body: [UInt8]) -> String? {
    var rest = body[...]
    guard take("{", &rest), take("\"value\"", &rest), take(":", &rest) else { return nil }
    for value in ["true", "false"] {
      for spelling in [value, "\"\(value)\""] {
        var tail = rest
        if take(spelling, &tail), take("}", &tail), tail.allSatisfy(isSpace) { return value }
      }
    }
    return nil
  }

  private static func take(_ token: String, _ rest: inout ArraySlice<UInt8>) -> Bool {
    rest = rest.drop(while: isSpace)
    guard rest.starts(with: token.utf8) else { return false }
    rest = rest.dropFirst(token.utf8.count)
    return true
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
  }
}
