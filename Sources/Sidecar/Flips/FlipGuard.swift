internal import MultiStore

/// Refuses changes of flags, by the admin API, that would move the default store to one that is not fit for it, and
/// waits until others are recorded. Changes of the flag file always apply. Any thread.
struct FlipGuard: Sendable {
  /// One instance.
  struct Instance: Sendable {
    let flags: FeatureFlags
    let access: InstanceAccess
    /// The most stale keys on a store that becomes the default.
    let maxKeysAtFlip: Int
    /// The journal that keeps its default store beyond the process; nil if there is none.
    var journal: StalenessJournal?
  }

  private let instances: [Instance]

  /// Creates a guard; without instances it refuses nothing.
  init(_ instances: [Instance] = []) {
    self.instances = instances
  }

  /// Returns the reason why a flag may not be set without being forced; nil if it may.
  ///
  /// - Parameters:
  ///   - name: The full name of a flag.
  ///   - isOn: Its new value.
  func refusal(ofSetting name: String, to isOn: Bool) -> String? {
    instances.first { FeatureFlag.primaryAsDefault.name(instance: $0.flags.instanceName) == name }
      .flatMap { Self.move(of: $0, byFlag: isOn)?.refusal }
  }

  /// Waits, after a flag has changed, until its instance has noticed that and its journal has recorded it, so that a
  /// process that is killed after the answer leaves the change to the next one. Gives up after a few seconds: the flag
  /// is in its file.
  ///
  /// - Parameter name: The full name of the flag.
  func waitUntilRecorded(_ name: String) {
    let instance = instances.first { instance in
      FeatureFlag.allCases.contains { $0.name(instance: instance.flags.instanceName) == name }
    }
    guard let instance, (try? instance.access.ask { $0.noticeFlags() }) != nil else { return }
    instance.journal?.waitUntilWritten(deadline: InstanceAccess.deadline)
  }

  /// Returns the move of the default store that a value of its flag causes; nil if it does not move.
  private static func move(of instance: Instance, byFlag isOn: Bool) -> DefaultMove? {
    let status = instance.access.status
    let effective = status.effective
    // Without a second store the flag has no effect.
    guard !effective.isPassThrough, !effective.storesAreSame else { return nil }
    let target: StoreRole = isOn ? .primary : .secondary
    guard effective.routing.defaultStore != target else { return nil }
    // The status is updated some times a second. An instance that does not answer has none better.
    let asked = try? instance.access.ask { ($0.staleKeyCount(of: target), $0.obstacleToFunctions) }
    return DefaultMove(
      instance: instance.flags.instanceName,
      target: target,
      problem: status.problem(with: target),
      obstacleToFunctions: asked?.1,
      trust: status.trust(of: target),
      staleKeys: asked?.0 ?? status.staleKeys(of: target),
      maxKeysAtFlip: instance.maxKeysAtFlip
    )
  }
}
