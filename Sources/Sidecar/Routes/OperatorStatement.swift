internal import HTTPServer
internal import MultiStore

/// A request by which an operator states a fact about an instance, with a name and a reason for the log.
struct OperatorStatement {
  let instance: InstanceAccess
  let format: ReportFormat
  private let values: [String: String]

  /// A request that is refused.
  struct Refusal: Error {
    let response: HTTPResponse

    init(response: HTTPResponse) {
      self.response = response
    }

    fileprivate init(_ status: Int, _ text: String) {
      response = .text(text, status: status)
    }
  }

  /// Reads a request, and returns the response of `body`, or the one of a refusal.
  static func answer(
    _ request: HTTPRequest,
    requiring names: [String],
    of instances: [InstanceAccess],
    _ body: (OperatorStatement) throws(Refusal) -> HTTPResponse
  ) -> HTTPResponse {
    do throws(Refusal) {
      return try body(OperatorStatement(request, requiring: names, of: instances))
    } catch {
      return error.response
    }
  }

  /// Reads a request.
  ///
  /// - Parameters:
  ///   - names: The fields that the statement requires, besides `who` and `why`; `instance` is one of them.
  ///   - instances: The instances that it may be about.
  init(
    _ request: HTTPRequest,
    requiring names: [String],
    of instances: [InstanceAccess]
  ) throws(Refusal) {
    let required = names + ["who", "why"]
    let known = Set(required + ["format"])
    guard let fields = RequestFields(request, known: known), known.isSuperset(of: fields.names),
      case let values = required.compactMap(fields.single), values.count == required.count,
      values.allSatisfy({ $0.contains { !$0.isWhitespace } })
    else {
      throw Refusal(
        400,
        "\(required.dropLast().joined(separator: ", ")) and why have to be given once each, and not empty, in the "
          + "form, the query or the JSON body; format may be json or table."
      )
    }
    guard let format = ReportFormat(rawValue: fields.single("format") ?? ReportFormat.json.rawValue) else {
      throw Refusal(400, "format has to be json or table.")
    }
    self.values = Dictionary(uniqueKeysWithValues: zip(required, values))
    self.format = format
    guard let instance = fields.single("instance").flatMap(instances.named) else {
      throw Refusal(response: instances.unknownInstance)
    }
    self.instance = instance
  }

  /// The operator's name.
  var who: String { values["who", default: ""] }

  /// The operator's reason.
  var why: String { values["why", default: ""] }

  /// Asks the instance, and waits for its answer.
  func ask<Answer: Sendable>(_ body: @escaping @Sendable (Instance) -> Answer) throws(Refusal) -> Answer {
    do throws(InstanceAccess.NoAnswer) {
      return try instance.ask(body)
    } catch {
      throw Refusal(response: error.response)
    }
  }

  /// The store that it is about.
  func store() throws(Refusal) -> StoreRole {
    let roles = instance.status.roles
    if let role = roles.first(where: { $0.label == values["store"] }) { return role }
    let labels = roles.map(\.label).joined(separator: " ")
    throw Refusal(404, "\(instance.status.instanceName) has no such store. Its stores: \(labels)")
  }
}
