internal import JSONLog
internal import MultiStore
internal import Status

extension StaleKeysReport {
  /// Asks instances for their stale keys, one after the other.
  ///
  /// - Parameters:
  ///   - role: The store; nil for all.
  ///   - limit: The most keys of a store that are listed.
  ///   - showsKeys: Whether keys are shown by their names too.
  init(
    asking instances: [InstanceAccess],
    store role: StoreRole?,
    limit: Int,
    showsKeys: Bool
  ) throws(InstanceAccess.NoAnswer) {
    var reports: [Instance] = []
    for instance in instances {
      let status = instance.status
      let roles = status.roles.reversed().filter { role == nil || role == $0 }
      // Only the keys are taken on the loop, which has clients to serve; they are hashed afterwards.
      let found = try instance.ask { asked in
        roles.map { (count: asked.staleKeyCount(of: $0), keys: asked.staleKeys(of: $0, limit: limit)) }
      }
      let stores = zip(roles, found).map { role, found in
        Store(
          isNew: role == .primary,
          isDefault: role == status.defaultStore,
          count: found.count,
          keys: found.keys.map { Key($0, showsName: showsKeys) }
        )
      }
      reports.append(Instance(name: status.instanceName, stores: stores))
    }
    self.init(takenMilliseconds: LogTime.now().millisecondsSinceEpoch, instances: reports)
  }
}

extension StaleKeysReport.Key {
  init(_ key: StaleKey, showsName: Bool) {
    self.init(
      digest: KeyName.digest(of: key.key),
      name: showsName ? KeyName.text(of: key.key) : nil,
      database: key.database,
      sinceMilliseconds: key.sinceMilliseconds,
      reason: key.reason.rawValue
    )
  }
}
