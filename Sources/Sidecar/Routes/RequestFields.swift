internal import HTTPServer

/// The parameters of a request that changes something: those of the query, the form and the JSON body taken together.
struct RequestFields {
  private let fields: [HTTPField]

  /// Reads the parameters; nil if the body is JSON other than one flat object, or has a member that is not in `known`.
  ///
  /// - Parameter known: The names that a JSON body may have.
  init?(_ request: HTTPRequest, known: Set<String>) {
    var fields = request.query + request.form
    if request.mediaType == "application/json", !request.body.isEmpty {
      guard let members = FlatJSON.read(request.body), known.isSuperset(of: members.map(\.name)) else { return nil }
      fields += members
    }
    self.fields = fields
  }

  /// The names, in order of appearance.
  var names: [String] { fields.map(\.name) }

  /// Returns the value of a parameter that is given exactly once.
  func single(_ name: String) -> String? {
    let values = fields.filter { $0.name == name }.map(\.value)
    return values.count == 1 ? values[0] : nil
  }
}
