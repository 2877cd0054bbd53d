internal import EventLoop
internal import Hiredis

/// Finds the master of a store for all its connections, and moves them when the sentinels name another one.
/// Loop-confined.
///
/// ``SentinelDirectory`` decides; this type asks and tells.
final class SentinelLocator: ServerLocator {
  private struct Member {
    /// A connection leaves before it is released.
    unowned let connection: HiredisConnection
    var isWaiting: Bool
  }

  /// The least time between two searches because of refused writes: a pipeline may bring thousands.
  private static let refusalPause: UInt64 = 100_000_000
  /// The interval at which all sentinels are asked: they may have changed, a message may be lost with a connection that
  /// nobody has closed, and one that has just been asked may lag behind.
  private static let interval = Duration.seconds(1)
  /// The time after a move in which messages of another are not believed, in nanoseconds: the sentinels are asked soon.
  private static let movePause: UInt64 = 1_000_000_000

  /// Called when the sentinels have named another master.
  var didMove: (_ former: SocketAddress, _ address: SocketAddress) -> Void = { _, _ in }

  private let loop: EventLoop
  private let group: SentinelGroup
  private var directory: SentinelDirectory
  private(set) var nodes: [SentinelNode] = []
  private var members: [ObjectIdentifier: Member] = [:]
  private var lastRefusal: UInt64?
  private var lastMove: UInt64?
  private var timer: LoopTimer?
  private var isClosed = false

  init(on loop: EventLoop, group: SentinelGroup) {
    self.loop = loop
    self.group = group
    directory = SentinelDirectory(masterName: group.master, nodes: group.nodes.compactMap(\.fixedAddress))
  }

  var masterName: String { directory.masterName }
  /// The address that was found last.
  var master: SocketAddress? { directory.master }

  func close() {
    isClosed = true
    timer?.close()
    timer = nil
    nodes = []
  }

  // MARK: Connections to the store

  func locate(for connection: HiredisConnection) {
    members[ObjectIdentifier(connection)] = Member(connection: connection, isWaiting: true)
    search()
  }

  func serverRefusedWrite(of connection: HiredisConnection) {
    if let lastRefusal, loop.now &- lastRefusal < Self.refusalPause { return }
    lastRefusal = loop.now
    search()
  }

  func leave(_ connection: HiredisConnection) {
    members[ObjectIdentifier(connection)] = nil
  }

  // MARK: Sentinels

  private func search() {
    guard !isClosed else { return }
    meetSentinels()
    if timer == nil {
      let timer = LoopTimer(on: loop) { [unowned self] in askAll() }
      timer.schedule(after: Self.interval, repeating: Self.interval)
      self.timer = timer
    }
    perform(directory.beginSearch())
  }

  private func askAll() {
    for node in nodes { node.ask(for: masterName) }
  }

  /// Whether a sentinel can tell of a failover now.
  func isReachable(_ node: SentinelNode) -> Bool { node.isListenedTo && directory.answers(node.address) }

  /// Connects to sentinels that are new, and leaves those that are gone.
  private func meetSentinels() {
    let addresses = directory.sentinels
    nodes.removeAll { !addresses.contains($0.address) }
    for address in addresses where !nodes.contains(where: { $0.address == address }) {
      var endpoint = group.nodes.first { $0.fixedAddress == address } ?? group.nodes[0]
      endpoint.location = .address(address)
      nodes.append(SentinelNode(on: loop, endpoint: endpoint, address: address, locator: self))
    }
  }

  func didReach(_ node: SentinelNode, again: Bool) {
    directory.heard(of: node.address)
    // It may have told of a failover meanwhile.
    if again { search() }
  }

  func didReceive(_ answer: SentinelDirectory.Answer, from node: SentinelNode) {
    perform(directory.receive(answer, from: node.address))
  }

  func didIdentify(_ node: SentinelNode, as id: String) {
    directory.identify(node.address, as: id)
    meetSentinels()
  }

  func didLearn(of others: [SentinelReply.Sentinel], from node: SentinelNode) {
    directory.learn(others, from: node.address)
    meetSentinels()
  }

  func masterDidSwitch(from former: SocketAddress, to address: SocketAddress, by node: SentinelNode) {
    if let lastMove, loop.now &- lastMove < Self.movePause { return }
    perform(directory.receive(switchFrom: former, to: address, from: node.address))
  }

  private func perform(_ step: SentinelDirectory.Step) {
    switch step {
    case .none: break
    case .ask(let sentinel):
      guard let node = nodes.first(where: { $0.address == sentinel }) else {
        preconditionFailure("\(sentinel) was forgotten while it was being asked")
      }
      node.ask(for: masterName)
    case .found(let address, let former):
      if let former {
        lastMove = loop.now
        didMove(former, address)
      }
      for connection in takeWaiting() { connection.didLocate(address) }
      // The connections that have just been told are there already. One that ends may let its owner close others.
      for connection in members.values.map(\.connection) { connection.serverDidMove(to: address) }
    case .notFound(let reason):
      for connection in takeWaiting() { connection.didNotLocate(reason) }
    }
  }

  /// Returns the connections that wait for an answer, which wait no longer.
  private func takeWaiting() -> [HiredisConnection] {
    var waiting: [HiredisConnection] = []
    for (key, member) in members where member.isWaiting {
      members[key]?.isWaiting = false
      waiting.append(member.connection)
    }
    return waiting
  }
}

extension StoreEndpoint {
  /// The address, if it is fixed.
  fileprivate var fixedAddress: SocketAddress? {
    if case .address(let address) = location { address } else { nil }
  }
}
