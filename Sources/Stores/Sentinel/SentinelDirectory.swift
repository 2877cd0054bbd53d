internal import EventLoop

/// Decides which sentinel is asked for the master, and which answer counts.
///
/// It does no I/O: each event returns what is to be done next. In a search the sentinels are asked in turn, one search
/// after the other beginning with another of them; one that did not answer is asked last until it is heard of again.
/// The first answer counts, since one sentinel may be all that can be reached. Beside that all of them are asked
/// periodically, and a master that most of them name is the master.
///
/// After a failover the sentinels learn of it one by one, and those that lag behind would send connections back. So
/// answers that name the former master count only if no sentinel names another one.
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
    /// The name that it gave itself, as there may be several addresses; nil while it is not known.
    var id: String?
    /// The sentinels that know it.
    var tellers: Set<SocketAddress> = []
    /// Whether it did not answer when it was asked last.
    var isSilent = false
    /// The master by its last answer or message.
    var view: SocketAddress?
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

  /// Handles the answer of a sentinel: the one that was to be asked, or one that was asked beside the search.
  mutating func receive(_ answer: Answer, from sentinel: SocketAddress) -> Step {
    note(answer, of: sentinel)
    guard var search, search.left.first == sentinel else { return follow() }
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

  private mutating func note(_ answer: Answer, of sentinel: SocketAddress) {
    guard let index = index(of: sentinel) else { return }
    switch answer {
    case .master(let address): (nodes[index].view, nodes[index].isSilent) = (address, false)
    case .unknownMaster: (nodes[index].view, nodes[index].isSilent) = (nil, false)
    case .failure: (nodes[index].view, nodes[index].isSilent) = (nil, true)
    }
  }

  /// Follows the majority of all sentinels that are known, if there is one.
  private mutating func follow() -> Step {
    guard let master else { return .none }
    let views = nodes.compactMap(\.view)
    guard let named = views.first(where: { view in views.count { $0 == view } > nodes.count / 2 }), named != master,
      named != formerMaster || views.allSatisfy({ $0 == named })
    else { return .none }
    return adopt(named)
  }

  /// Handles a sentinel's message that the master is at `address` from now on, in place of `former`. It ends a search.
  mutating func receive(
    switchFrom former: SocketAddress,
    to address: SocketAddress,
    from sentinel: SocketAddress
  ) -> Step {
    note(.master(address), of: sentinel)
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
    if let index = index(of: sentinel) { nodes[index].isSilent = false }
  }

  /// Notes which one a sentinel is. It may be known by another address.
  mutating func identify(_ sentinel: SocketAddress, as id: String) {
    guard let index = index(of: sentinel) else { return }
    nodes[index].id = id
    let needed = search.map { Array($0.left) } ?? []
    nodes.removeAll { node in
      node.address != sentinel && !node.isConfigured && node.id == id && !needed.contains(node.address)
    }
  }

  /// Takes the sentinels that one of them knows as known, and forgets those that none knows any more, but for the
  /// configured ones and those that are to be asked in the present search.
  ///
  /// - Parameter teller: the one that has named them; it does not name itself.
  mutating func learn(_ others: [SentinelReply.Sentinel], from teller: SocketAddress) {
    for index in nodes.indices {
      let isNamed = others.contains { $0.address == nodes[index].address }
      if isNamed { nodes[index].tellers.insert(teller) } else { nodes[index].tellers.remove(teller) }
    }
    forget(except: [teller] + (search.map { Array($0.left) } ?? []))
    for other in others where nodes.count < Self.limit {
      let isKnown = nodes.contains { $0.address == other.address || $0.id != nil && $0.id == other.id }
      if !isKnown { nodes.append(Node(address: other.address, isConfigured: false, id: other.id, tellers: [teller])) }
    }
  }

  /// Forgets the sentinels that none of the others knows, and then those that only these knew.
  private mutating func forget(except needed: [SocketAddress]) {
    let count = nodes.count
    nodes.removeAll { !$0.isConfigured && $0.tellers.isEmpty && !needed.contains($0.address) }
    guard nodes.count < count else { return }
    let known = Set(nodes.map(\.address))
    for index in nodes.indices { nodes[index].tellers.formIntersection(known) }
    forget(except: needed)
  }

  /// Whether the sentinel has answered when it was asked last, if it was.
  func answers(_ sentinel: SocketAddress) -> Bool { index(of: sentinel).map { !nodes[$0].isSilent } ?? false }

  private func index(of sentinel: SocketAddress) -> Int? { nodes.firstIndex { $0.address == sentinel } }

  /// Lets the next search begin with another sentinel, which may know more than this one.
  private mutating func askLater(_ sentinel: SocketAddress) {
    guard let index = index(of: sentinel) else { return }
    nodes.append(nodes.remove(at: index))
  }
}
