internal import HTTPServer
internal import MultiStore
internal import Status

extension HTTPRoute {
  private static let trustFields = ["instance", "store", "who", "why"]

  /// A route by which an operator says that a store is trusted again.
  static func trust(in instances: [InstanceAccess]) -> HTTPRoute {
    HTTPRoute([.post], AdminPath.trust) { request in
      let known = trustFields + ["format"]
      guard let fields = RequestFields(request, known: Set(known)), Set(known).isSuperset(of: fields.names),
        case let values = trustFields.compactMap(fields.single), values.count == trustFields.count,
        values.allSatisfy({ $0.contains { !$0.isWhitespace } })
      else {
        return .text(
          "instance, store, who and why have to be given once each, and not empty, in the form, the query or the JSON "
            + "body; format may be json or table.",
          status: 400
        )
      }
      guard let format = ReportFormat(rawValue: fields.single("format") ?? ReportFormat.json.rawValue) else {
        return .text("format has to be json or table.", status: 400)
      }
      guard let instance = instances.named(values[0]) else { return instances.unknownInstance }
      let roles = instance.status.roles
      guard let role = roles.first(where: { $0.label == values[1] }) else {
        let labels = roles.map(\.label).joined(separator: " ")
        return .text("\(values[0]) has no such store. Its stores: \(labels)", status: 404)
      }
      do throws(InstanceAccess.NoAnswer) {
        return answer(try instance.trust(role, who: values[2], why: values[3]), role, values[0], format)
      } catch {
        return error.response
      }
    }
  }

  private static func answer(
    _ change: TrustChange,
    _ role: StoreRole,
    _ instance: String,
    _ format: ReportFormat
  ) -> HTTPResponse {
    let sentence = change.sentence(role, of: instance)
    if change == .isDefault { return .text(sentence, status: 409) }
    var (reason, since) = ("null", "null")
    if case .trusted(let loss, let milliseconds) = change {
      reason = JSONText.quote(loss.rawValue)
      since = JSONText.seconds(milliseconds: milliseconds)
    }
    return switch format {
    case .table: .text(sentence)
    case .json:
      .json(
        JSONText.object([
          "instance": JSONText.quote(instance),
          "store": JSONText.quote(role.label),
          "trusted": "true",
          "changed": "\(change != .alreadyTrusted)",
          "was_not_trusted_reason": reason,
          "was_not_trusted_since_timestamp_seconds": since,
        ]) + "\n"
      )
    }
  }
}

extension InstanceAccess {
  /// Makes the instance trust a store again, if it does not.
  fileprivate func trust(_ role: StoreRole, who: String, why: String) throws(NoAnswer) -> TrustChange {
    try ask { [status] instance in
      let change = TrustChange(role, defaultStore: status.defaultStore, trust: status.trust(of: role))
      if case .trusted = change { instance.trust(role, who: who, why: why) }
      return change
    }
  }
}
