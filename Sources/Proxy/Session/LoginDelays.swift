internal import EventLoop

/// Decides when logins are checked: after a wrong password, no login from the same network is checked for a while,
/// right or wrong, on any connection. Answering the right password alone immediately would reveal as much as answering
/// each one.
struct LoginDelays {
  /// The time after a wrong password in which no login from its network is checked. It permits two guesses a second,
  /// and is hardly noticeable to people and applications that share the address.
  static let delayNanoseconds: UInt64 = 500_000_000
  /// The most networks that have a delay of their own; all others share one.
  static let maximumNetworks = 4096

  private struct Entry {
    /// The time from which the next login may be checked.
    var opensAt: UInt64 = 0
    var line = WaitingLine()
    /// The client that was taken out of the line last, to be checked now.
    var turn: Int?
  }

  /// The delays by network; nil is the key of those that share one.
  private var entries: [PeerNetwork?: Entry] = [:]

  /// Whether no login has to wait.
  var isEmpty: Bool { entries.isEmpty }

  /// Whether a client's login may be checked now. Otherwise the client is in the line, and ``due(at:)`` or
  /// ``next(from:at:)`` returns it in its turn.
  mutating func mayTry(_ id: Int, from network: PeerNetwork, at now: UInt64) -> Bool {
    let key = key(of: network)
    guard let entry = entries[key] else { return true }
    let isItsTurn = entry.turn == id
    if isItsTurn { entries[key]?.turn = nil }
    // Clients in the line come first, though their turn is noticed a little later.
    guard entry.opensAt > now || !isItsTurn && !entry.line.isEmpty else { return true }
    entries[key]?.line.append(id)
    return false
  }

  /// Records a wrong password.
  ///
  /// - Returns: whether there were too many networks for this one to have a delay of its own.
  mutating func didFail(from network: PeerNetwork, at now: UInt64) -> Bool {
    var key: PeerNetwork? = network
    if entries[network] == nil, entries.count >= Self.maximumNetworks { key = nil }
    entries[key, default: Entry()].opensAt = now + Self.delayNanoseconds
    return key == nil
  }

  /// Returns the next client in the line of a network, if a login may be checked.
  mutating func next(from network: PeerNetwork, at now: UInt64) -> Int? {
    let key = key(of: network)
    guard let opensAt = entries[key]?.opensAt, opensAt <= now else { return nil }
    return takeTurn(key)
  }

  /// Returns one client of each network whose delay is over. Forgets the networks where none waits.
  mutating func due(at now: UInt64) -> [Int] {
    var turn: [Int] = []
    // The keys alone: a copied entry would cause a copy of its line when a client is taken out of it.
    for key in Array(entries.lazy.filter({ $0.value.opensAt <= now }).map(\.key)) {
      guard let id = takeTurn(key) else {
        entries[key] = nil
        continue
      }
      turn.append(id)
    }
    return turn
  }

  /// Removes a client that no longer waits.
  ///
  /// - Returns: whether it was in a line.
  mutating func remove(_ id: Int, from network: PeerNetwork) -> Bool {
    entries[network]?.line.remove(id) == true || entries[PeerNetwork?.none]?.line.remove(id) == true
  }

  private mutating func takeTurn(_ key: PeerNetwork?) -> Int? {
    let id = entries[key]?.line.popFirst()
    entries[key]?.turn = id
    return id
  }

  private func key(of network: PeerNetwork) -> PeerNetwork? {
    entries[network] == nil && entries.count >= Self.maximumNetworks ? nil : network
  }
}
