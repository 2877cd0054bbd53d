internal import EventLoop

/// Decides which sentinel is asked for the master, and which answer counts.
///
/// It does no I/O: each event returns what is to be done next. Sentinels are asked in turn, one search after the other
/// beginning with another of them; one that did not answer is asked last until it is heard of again.
///
/// After a failover the sentinels learn of it one by one, and one that lags behind would send connections back. So an
/// answer that names the former master counts only if no sentinel names another one.
struct SentinelDirectory {
  enum Answer: Equatable {
    case master(SocketAddress)
    /// It watches no master of that name.
    case unknownMaster
    /// No answer, or one that makes no sense: a reason without a full stop.
    case failure(String)
  }

  enum Step: Equatable {
    case none
    /// Ask this sentinel.
    case ask(SocketAddress)
    /// The master is at `address`; `former` is where it was before, if it was anywhere else.
    case found(SocketAddress, former: SocketAddress?)
    case notFound(reason: String)
  }

  private struct Node {
    let address: SocketAddress
    /// Whether it was given by the configuration, and is never forgotten.
    let isConfigured: Bool
    /// Whether it did not answer when it was asked last.
    var isSilent = false
  }

  private struct Search {
    /// The sentinels that were not asked yet; the first one is being asked.
    var left: ArraySlice<SocketAddress>
    var failures: [String] = []
    var namesFormerMaster = false
  }

  /// The most sentinels that are known, since what they say of each other is not verified.
  static let limit = 16

  let masterName: String
  /// The address that was found last.
  private(set) var master: SocketAddress?
  /// The master that ``master`` has replaced.
  private var formerMaster: SocketAddress?
  private var nodes: [Node]
  private var search: Search?

  init(masterName: String, nodes: [SocketAddress]) {
    self.masterName = masterName
    self.nodes = []
    for address in nodes where !self.nodes.contains(where: { $0.address == address }) {
      self.nodes.append(Node(address: address, isConfigured: true))
    }
  }

  /// All sentinels that are known, in the order in which the next search asks them.
  var sentinels: [SocketAddress] { (nodes.filter { !$0.isSilent } + nodes.filter(\.isSilent)).map(\.address) }

  var isSearching: Bool { search != nil }

  /// Begins a search, unless one is under way.
  mutating func beginSearch() -> Step {
    guard search == nil else { return .none }
    let order = sentinels
    search = Search(left: order[...])
    return .ask(order[0])
  }

  /// Handles the answer of the sentinel that was to be asked.
  mutating func receive(_ answer: Answer, from sentinel: SocketAddress) -> Step {
    guard var search, search.left.first == sentinel else { return .none }
    search.left.removeFirst()
    switch answer {
    case .master(let address) where address == formerMaster:
      search.namesFormerMaster = true
      search.failures.append("\(sentinel) still names the former master")
    case .master(let address):
      askLater(sentinel)
      return adopt(address)
    case .unknownMaster:
      search.failures.append("\(sentinel) watches no master of that name")
    case .failure(let reason):
      if let index = index(of: sentinel) { nodes[index].isSilent = true }
      search.failures.append("\(sentinel): \(reason)")
    }
    self.search = search
    if let next = search.left.first { return .ask(next) }
    if search.namesFormerMaster, let formerMaster { return adopt(formerMaster) }
    self.search = nil
    return .notFound(
      reason: "no sentinel names the master \"\(masterName)\": \(search.failures.joined(separator: "; "))"
    )
  }

  /// Handles a sentinel's message that the master is at `address` from now on, in place of `former`. It ends a search.
  mutating func receive(switchFrom former: SocketAddress, to address: SocketAddress) -> Step {
    guard address != master else { return .none }
    if master == nil { formerMaster = former }
    return adopt(address)
  }

  private mutating func adopt(_ address: SocketAddress) -> Step {
    search = nil
    guard let master, master != address else {
      self.master = address
      return .found(address, former: nil)
    }
    formerMaster = master
    self.master = address
    return .found(address, former: master)
  }

  /// Notes that a sentinel was heard of: it is worth asking.
  mutating func heard(of sentinel: SocketAddress) {
    guard let index = index(of: sentinel) else { return }
    nodes[index].isSilent = false
  }

  /// Takes the sentinels that one of them knows as those that there are, beside the configured ones. None is forgotten
  /// that is to be asked in the present search.
  ///
  /// - Parameter teller: the one that has named them; it does not name itself.
  mutating func learn(_ others: [SocketAddress], from teller: SocketAddress) {
    let needed = [teller] + others + (search.map { Array($0.left) } ?? [])
    nodes.removeAll { !$0.isConfigured && !needed.contains($0.address) }
    for address in others where index(of: address) == nil && nodes.count < Self.limit {
      nodes.append(Node(address: address, isConfigured: false))
    }
  }

  private func index(of sentinel: SocketAddress) -> Int? { nodes.firstIndex { $0.address == sentinel } }

  /// Lets the next search begin with another sentinel, which may know more than this one.
  private mutating func askLater(_ sentinel: SocketAddress) {
    guard let index = index(of: sentinel) else { return }
    nodes[index].isSilent = false
    nodes.append(nodes.remove(at: index))
  }
}
