internal import Sockets

/// Decides which connections of a listener are closed, and when.
///
/// No connection is refused: at a limit, the one without a whole request, or without the end of its answer, for the
/// longest time is closed. So a client that sends its request at once and reads is answered however many others are
/// silent, slow or do not read. A deadline applies to a whole request or answer; single bytes do not extend it.
///
/// Connections are identified by their descriptor. The table does no I/O; its caller closes what it returns.
struct ConnectionTable {
  /// A connection that is to be closed now.
  struct Closing: Equatable {
    let descriptor: Int32
    let reason: HTTPCloseReason
  }

  private enum State {
    /// No whole request has been received since the connection was accepted, or since the last answer.
    case waiting(since: ContinuousClock.Instant, until: ContinuousClock.Instant, isFirst: Bool)
    /// An answer is being sent.
    case answering(since: ContinuousClock.Instant, until: ContinuousClock.Instant, bytes: Int)
    /// The table has returned it for closing; it no longer counts.
    case closing
  }

  private struct Connection {
    let network: PeerNetwork?
    var state: State
  }

  private let limits: HTTPLimits
  private var connections: [Int32: Connection] = [:]
  private var countByNetwork: [PeerNetwork: Int] = [:]
  /// No deadline is earlier than this.
  private var nextLook: ContinuousClock.Instant?

  /// The number of open connections, without those that are being closed.
  private(set) var count = 0
  /// The bytes of the answers being sent.
  private(set) var answerBytes = 0

  init(limits: HTTPLimits) {
    self.limits = limits
  }

  /// Whether there are no connections, including those that are being closed.
  var isEmpty: Bool { connections.isEmpty }

  /// The latest time for the next call of ``overdue(at:)``; nil for no deadline.
  var nextDeadline: ContinuousClock.Instant? { count == 0 ? nil : nextLook }

  /// Adds an accepted connection and returns the one to close for it.
  mutating func add(_ descriptor: Int32, from network: PeerNetwork?, at now: ContinuousClock.Instant) -> Closing? {
    let closing = makeRoom(for: network)
    let until = now + limits.requestTimeout
    connections[descriptor] = Connection(
      network: network,
      state: .waiting(since: now, until: until, isFirst: true)
    )
    count += 1
    if let network { countByNetwork[network, default: 0] += 1 }
    look(at: until)
    return closing
  }

  /// Notes that an answer is about to be sent, and returns the connections to close for it.
  mutating func beginAnswer(on descriptor: Int32, bytes: Int, at now: ContinuousClock.Instant) -> [Closing] {
    guard case .waiting = connections[descriptor]?.state else { return [] }
    var closings: [Closing] = []
    while answerBytes > 0, answerBytes + bytes > limits.maximumAnswerBytes, let slowest = oldestAnswer() {
      closings.append(close(slowest, because: .answerMemory))
    }
    let until = now + limits.responseTimeout
    connections[descriptor]?.state = .answering(since: now, until: until, bytes: bytes)
    answerBytes += bytes
    look(at: until)
    return closings
  }

  /// Notes that the answer has been sent; the connection waits for its next request.
  mutating func endAnswer(on descriptor: Int32, at now: ContinuousClock.Instant) {
    guard case .answering(_, _, let bytes) = connections[descriptor]?.state else { return }
    answerBytes -= bytes
    let until = now + limits.idleTimeout
    connections[descriptor]?.state = .waiting(since: now, until: until, isFirst: false)
    look(at: until)
  }

  /// Removes a closed connection.
  mutating func remove(_ descriptor: Int32) {
    forget(descriptor)
    connections[descriptor] = nil
  }

  /// Returns the connections whose deadline has passed.
  mutating func overdue(at now: ContinuousClock.Instant) -> [Closing] {
    guard let look = nextLook, look <= now else { return [] }
    nextLook = nil
    var closings: [Closing] = []
    for (descriptor, connection) in connections {
      guard let (until, reason) = Self.deadline(of: connection.state) else { continue }
      if until <= now { closings.append(Closing(descriptor: descriptor, reason: reason)) } else { self.look(at: until) }
    }
    for closing in closings { _ = close(closing.descriptor, because: closing.reason) }
    return closings
  }

  // MARK: Making room

  private mutating func makeRoom(for network: PeerNetwork?) -> Closing? {
    if let network, countByNetwork[network, default: 0] >= limits.connectionsPerAddress {
      return victim(of: network).map { close($0, because: .addressLimit) }
    }
    guard count >= limits.connections else { return nil }
    return victim(of: nil).map { close($0, because: .connectionLimit) }
  }

  /// Returns the connection of one network, or of all, whose state has lasted longest: silent, idle, or not reading. A
  /// new connection has been read once before it can be chosen.
  private func victim(of network: PeerNetwork?) -> Int32? {
    oldest(of: network) {
      switch $0 {
      case .waiting(let since, _, _), .answering(let since, _, _): since
      case .closing: nil
      }
    }
  }

  /// Returns the connection of one network, or of all, with the earliest time by `since`.
  private func oldest(
    of network: PeerNetwork?,
    _ since: (State) -> ContinuousClock.Instant?
  ) -> Int32? {
    var oldest: (descriptor: Int32, since: ContinuousClock.Instant)?
    for (descriptor, connection) in connections where network == nil || connection.network == network {
      guard let time = since(connection.state) else { continue }
      if let known = oldest, known.since <= time { continue }
      oldest = (descriptor, time)
    }
    return oldest?.descriptor
  }

  private func oldestAnswer() -> Int32? {
    oldest(of: nil) { if case .answering(let since, _, _) = $0 { since } else { nil } }
  }

  private mutating func close(_ descriptor: Int32, because reason: HTTPCloseReason) -> Closing {
    forget(descriptor)
    connections[descriptor]?.state = .closing
    return Closing(descriptor: descriptor, reason: reason)
  }

  /// Removes a connection from all counts.
  private mutating func forget(_ descriptor: Int32) {
    guard let connection = connections[descriptor] else { return }
    switch connection.state {
    case .closing: return
    case .answering(_, _, let bytes): answerBytes -= bytes
    case .waiting: break
    }
    count -= 1
    guard let network = connection.network, let known = countByNetwork[network] else { return }
    countByNetwork[network] = known > 1 ? known - 1 : nil
  }

  private mutating func look(at time: ContinuousClock.Instant) {
    nextLook = nextLook.map { min($0, time) } ?? time
  }

  private static func deadline(of state: State) -> (ContinuousClock.Instant, HTTPCloseReason)? {
    switch state {
    case .waiting(_, let until, let isFirst): (until, isFirst ? .requestTimeout : .idleTimeout)
    case .answering(_, let until, _): (until, .responseTimeout)
    case .closing: nil
    }
  }
}
