internal import Logging
internal import MultiStore

extension FeatureFlagStore {
  /// Logs one line for each instance, a warning if a flag is on: a forgotten flag would start a migration
  /// unintentionally when a sidecar is put in front of another pair of stores.
  func logStart() {
    for instance in instances {
      let state = instance.state
      var metadata: Logger.Metadata = ["instance_name": "\(instance.instanceName)", "path": "\(filePath ?? "none")"]
      for flag in FeatureFlag.allCases {
        metadata[flag.name(instance: instance.instanceName)] = .stringConvertible(state[flag])
      }
      if state == FlagState() {
        logger.info("Feature flags at start: all off", metadata: metadata)
      } else {
        logger.warning("Feature flags at start: some are on", metadata: metadata)
      }
    }
  }

  /// Logs the flags of the file that have no effect. Called once for each new contents of the file.
  func logUnknown(in file: FeatureFlagFile) {
    let names = known.map(\.name)
    for entry in file.entries where !names.contains(entry.name) {
      let metadata: Logger.Metadata = [
        "flag": "\(entry.name)", "hint": "\(NearestName.hint(for: entry.name, among: names))",
      ]
      logger.warning("Feature flag belongs to no instance and has no effect", metadata: metadata)
    }
  }

  /// Logs the change of a flag.
  func logChange(_ flag: KnownFlag, old: Bool, new: Bool, source: FlagSource, generation: UInt64) {
    let metadata: Logger.Metadata = [
      "flag": "\(flag.name)",
      "instance_name": "\(flag.instance.instanceName)",
      "old": .stringConvertible(old),
      "new": .stringConvertible(new),
      "source": "\(source.rawValue)",
      "generation": .stringConvertible(generation),
    ]
    logger.notice("Feature flag changed", metadata: metadata)
  }
}
