internal import EventLoop

/// Decides when logins are tried: after a wrong password none from the same network is looked at for a while, right or
/// wrong, over whichever connection. An answer that came at once to the right password alone would tell as much as an
/// answer to each.
struct LoginDelays {
  /// How long nothing from a network is looked at after a wrong password. Two guesses a second, and hardly noticed by
  /// people and by applications that share the address.
  static let delayNanoseconds: UInt64 = 500_000_000
  /// Networks that have a delay of their own at once; all others share one.
  static let maximumNetworks = 4096

  private struct Entry {
    /// When the next login may be looked at.
    var opensAt: UInt64 = 0
    var line = WaitingLine()
  }

  /// By network; nil for those that share a delay.
  private var entries: [PeerNetwork?: Entry] = [:]

  /// Whether no login has to wait.
  var isEmpty: Bool { entries.isEmpty }

  /// Whether a client's login may be looked at now. Otherwise the client is in the line, and ``due(at:)`` or
  /// ``next(from:at:)`` has its turn.
  mutating func mayTry(_ id: Int, from network: PeerNetwork, at now: UInt64) -> Bool {
    let key = key(of: network)
    guard let opensAt = entries[key]?.opensAt, opensAt > now else { return true }
    entries[key]?.line.append(id)
    return false
  }

  /// A password was wrong.
  ///
  /// - Returns: whether there were too many networks to keep this one's delay apart.
  mutating func didFail(from network: PeerNetwork, at now: UInt64) -> Bool {
    var key: PeerNetwork? = network
    if entries[network] == nil, entries.count >= Self.maximumNetworks { key = nil }
    entries[key, default: Entry()].opensAt = now + Self.delayNanoseconds
    return key == nil
  }

  /// The client of a network that is next in line, if the next login may be looked at.
  mutating func next(from network: PeerNetwork, at now: UInt64) -> Int? {
    let key = key(of: network)
    guard let opensAt = entries[key]?.opensAt, opensAt <= now else { return nil }
    return entries[key]?.line.popFirst()
  }

  /// One client of each network whose delay is over. Forgets the networks where none waits.
  mutating func due(at now: UInt64) -> [Int] {
    var turn: [Int] = []
    // The keys alone: a copy of an entry would be a copy of its line when one is taken out of it.
    for key in Array(entries.lazy.filter({ $0.value.opensAt <= now }).map(\.key)) {
      guard let id = entries[key]?.line.popFirst() else {
        entries[key] = nil
        continue
      }
      turn.append(id)
    }
    return turn
  }

  /// The client waits no longer.
  ///
  /// - Returns: whether it did.
  mutating func remove(_ id: Int, from network: PeerNetwork) -> Bool {
    entries[network]?.line.remove(id) == true || entries[PeerNetwork?.none]?.line.remove(id) == true
  }

  private func key(of network: PeerNetwork) -> PeerNetwork? {
    entries[network] == nil && entries.count >= Self.maximumNetworks ? nil : network
  }
}
