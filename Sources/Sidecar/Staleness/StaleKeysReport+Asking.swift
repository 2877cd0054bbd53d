internal import HTTPServer
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
  /// The digits of a digest: 64 bits, enough to tell the keys of one list apart.
  private static let digestDigits = 16
  /// The bytes of a name that are shown.
  private static let shownBytes = 200

  init(_ key: StaleKey, showsName: Bool) {
    self.init(
      digest: String(SHA256.hexadecimal(of: key.key).prefix(Self.digestDigits)),
      name: showsName ? Self.text(key.key) : nil,
      database: key.database,
      sinceMilliseconds: key.sinceMilliseconds,
      reason: key.reason.rawValue
    )
  }

  /// Returns a name with everything but printable ASCII escaped, so that it cannot control a terminal.
  private static func text(_ name: [UInt8]) -> String {
    var text = ""
    for byte in name.prefix(shownBytes) {
      switch byte {
      case UInt8(ascii: "\\"): text += "\\\\"
      case 0x20...0x7e: text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return name.count > shownBytes ? "\(text)… (\(name.count) bytes)" : text
  }
}
