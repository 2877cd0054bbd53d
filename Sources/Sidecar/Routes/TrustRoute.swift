internal import HTTPServer
internal import MultiStore
internal import Status

extension HTTPRoute {
  /// A route by which an operator says that a store is trusted again.
  static func trust(in instances: [InstanceAccess]) -> HTTPRoute {
    HTTPRoute([.post], AdminPath.trust) { request in
      OperatorStatement.answer(request, requiring: ["instance", "store"], of: instances) {
        statement throws(OperatorStatement.Refusal) in
        let (role, status) = (try statement.store(), statement.instance.status)
        let (who, why) = (statement.who, statement.why)
        let change = try statement.ask { instance in
          let change = TrustChange(role, defaultStore: status.defaultStore, trust: status.trust(of: role))
          if case .trusted = change { instance.trust(role, who: who, why: why) }
          return change
        }
        return answer(change, role, status.instanceName, statement.format)
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
