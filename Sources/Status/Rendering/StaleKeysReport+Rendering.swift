extension StaleKeysReport {
  /// The report as one JSON object, without a line end.
  public var json: String {
    JSONText.object([
      "taken_timestamp_seconds": JSONText.seconds(milliseconds: takenMilliseconds),
      "instances": JSONText.array(
        instances.map {
          JSONText.object(["name": JSONText.quote($0.name), "stores": JSONText.array($0.stores.map(\.json))])
        }
      ),
    ])
  }

  /// The report for a terminal: a table for each store.
  public var text: String {
    var text = instances.flatMap { instance in instance.stores.map { table(of: $0, instance.name) } }
      .joined(separator: "\n")
    let keys = instances.flatMap(\.stores).flatMap(\.keys)
    if let key = keys.first, key.name == nil {
      text += "\n\(KeyDigestHint.sentence(digits: key.digest.count))\n"
    }
    return text
  }

  private func table(of store: Store, _ instance: String) -> String {
    let count = HumanFormat.count(Double(store.count), "stale key")
    var text = "\(instance), \(store.role.rawValue)\(store.isDefault ? " (default)" : ""): \(count)\n"
    guard !store.keys.isEmpty else { return text }
    let rows = store.keys.map { key in
      [
        key.name ?? key.digest, "\(key.database)",
        HumanFormat.duration(Double(takenMilliseconds - key.sinceMilliseconds) / 1000), key.reason,
      ]
    }
    text += TextTable.aligned([["KEY", "DATABASE", "STALE FOR", "WHY"]] + rows, numbers: [1])
    if store.more > 0 { text += "and \(HumanFormat.count(Double(store.more))) more; --limit shows more of them\n" }
    return text
  }
}

extension StaleKeysReport.Store {
  fileprivate var json: String {
    JSONText.object([
      "store": JSONText.quote(role.rawValue),
      "default": "\(isDefault)",
      "stale_keys": "\(count)",
      "more": "\(more)",
      "keys": JSONText.array(keys.map(\.json)),
    ])
  }
}

extension StaleKeysReport.Key {
  fileprivate var json: String {
    let name = name.map { [(key: "key", value: JSONText.quote($0))] } ?? []
    return JSONText.object(
      [(key: "key_sha256", value: JSONText.quote(digest))] + name + [
        (key: "database", value: "\(database)"),
        (key: "since_timestamp_seconds", value: JSONText.seconds(milliseconds: sinceMilliseconds)),
        (key: "reason", value: JSONText.quote(reason)),
      ]
    )
  }
}
