internal import MultiStore
internal import Status

/// A move of an instance's default store that an operator requests, with the facts about the store that it moves to. It
/// decides by its values alone.
struct DefaultMove: Equatable, Sendable {
  /// The instance's name.
  let instance: String
  /// The store that would become the default.
  let target: StoreRole
  /// The reason why that store can't be reached; nil if it can.
  let problem: String?
  /// The reason why its functions are not those of the default store; nil if that is not known.
  let obstacleToFunctions: String?
  /// The trust in that store: whether keys may be outdated there that are not known.
  let trust: StoreTrust
  /// The number of keys that are known to be stale there.
  let staleKeys: Int
  /// The most stale keys there with which the move needs no force.
  let maxKeysAtFlip: Int

  /// The reason why clients would get errors or outdated values after the move, and the remedy; nil if it may be done.
  var refusal: String? {
    let reasons = [distrust, tooManyKeys, missedFunctions, unavailability].compactMap(\.self)
    guard !reasons.isEmpty else { return nil }
    return
      "the default store of \(instance) would move to the \(target.label) store. \(reasons.joined(separator: " ")) "
      + "To move it all the same, add force=true (--force on the command line)."
  }

  private var unavailability: String? {
    problem.map { "That store can't be used: \($0)." }
  }

  private var missedFunctions: String? {
    obstacleToFunctions.map {
      "Its functions are not those of the default store, since they could not be copied (\($0)): wait until they have "
        + "been, or load them there by hand."
    }
  }

  private var distrust: String? {
    guard case .lost(let loss, let since) = trust else { return nil }
    return "That store is not trusted since \(HumanFormat.moment(milliseconds: since)), because \(loss.explanation): "
      + "keys may be outdated there that are not known. Compare it with the default store, or empty it and let it warm "
      + "up again; then run multistore-exporter trust."
  }

  private var tooManyKeys: String? {
    guard staleKeys > maxKeysAtFlip else { return nil }
    return "\(HumanFormat.count(Double(staleKeys), "key is", "keys are")) stale there, and max_keys_at_flip is "
      + "\(HumanFormat.count(Double(maxKeysAtFlip))): wait until they have been copied, which needs both stores up, "
      + "dual writes on and a key_work_rate above 0. multistore-exporter stale list shows them."
  }
}
