internal import HTTPServer
internal import MultiStore
internal import Status

extension HTTPRoute {
  /// A route by which an operator accepts the default store's values of the keys that are stale there.
  static func acceptStaleKeys(of instances: [InstanceAccess]) -> HTTPRoute {
    HTTPRoute([.post], AdminPath.acceptedStaleKeys) { request in
      OperatorStatement.answer(request, requiring: ["instance"], of: instances) {
        statement throws(OperatorStatement.Refusal) in
        let (who, why) = (statement.who, statement.why)
        let accepted = try statement.ask { $0.acceptStaleKeys(who: who, why: why) }
        return answer(accepted.count, accepted.defaultStore, statement.instance.status.instanceName, statement.format)
      }
    }
  }

  private static func answer(
    _ count: Int,
    _ role: StoreRole,
    _ instance: String,
    _ format: ReportFormat
  ) -> HTTPResponse {
    switch format {
    case .table:
      let store = "the default store of \(instance), \(role.label)"
      return .text(
        count == 0
          ? "No key is stale on \(store); nothing was changed."
          : "\(count) outdated \(count == 1 ? "value" : "values") accepted on \(store). "
            + "The keys are stale on the other store now."
      )
    case .json:
      return .json(
        JSONText.object([
          "instance": JSONText.quote(instance), "store": JSONText.quote(role.label), "accepted_keys": "\(count)",
        ]) + "\n"
      )
    }
  }
}
