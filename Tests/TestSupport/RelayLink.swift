internal import Foundation

/// A relayed connection: the client's end, the server's end, and the bytes between them.
struct RelayLink {
  /// A due time that does not come: it stands for bytes behind a shut gate.
  private static let never = Duration.seconds(1_000_000_000)

  private let client: Socket
  private let server: Socket
  private var requests = RelayFlow()
  private var replies = RelayFlow()
  private var gate: RelayReplyGate
  /// Whether bytes were discarded, so that what follows them would be out of its place.
  private var hasLostBytes = false
  private var hasEndedRequests = false
  private var hasEndedReplies = false

  init(client: Socket, server: Socket, conduct: RelayConduct) {
    self.client = client
    self.server = server
    gate = RelayReplyGate(limit: conduct.hangsAfter)
  }

  /// Reads and writes what can be read and written now; returns false once the connection is over.
  mutating func turn(_ conduct: RelayConduct, at now: ContinuousClock.Instant) -> Bool {
    if hasLostBytes, conduct.requests == .passes, conduct.replies == .passes {
      reset()
      return false
    }
    moveGate(conduct, at: now)
    do {
      try readRequests(conduct.requests, at: now)
      try readReplies(conduct, at: now)
      if conduct.requests == .passes { try requests.write(to: server, at: now) }
      if conduct.replies == .passes { try replies.write(to: client, at: now) }
    } catch {
      // One end is gone without an orderly end; the other one is to notice the same.
      reset()
      return false
    }
    if hasLostBytes { return true }
    if requests.isDrained, !hasEndedRequests {
      hasEndedRequests = true
      server.shutdownWrites()
    }
    if replies.isDrained, !hasEndedReplies {
      hasEndedReplies = true
      client.shutdownWrites()
    }
    return !(hasEndedRequests && hasEndedReplies)
  }

  /// What to wait for: the descriptors with their events, and the moment at which bytes become due.
  func interests(
    _ conduct: RelayConduct,
    at now: ContinuousClock.Instant
  ) -> (polls: [pollfd], wakeAt: ContinuousClock.Instant?) {
    var clientEvents: Int16 = 0
    var serverEvents: Int16 = 0
    var wakeAt: ContinuousClock.Instant?
    if conduct.requests != .holds, requests.wantsBytes { clientEvents |= Int16(POLLIN) }
    if conduct.replies != .holds, replies.wantsBytes, !gate.isShut { serverEvents |= Int16(POLLIN) }
    if conduct.requests == .passes, requests.nextDue != nil { serverEvents |= Int16(POLLOUT) }
    if conduct.replies == .passes, let due = replies.nextDue {
      if due <= now { clientEvents |= Int16(POLLOUT) } else { wakeAt = due }
    }
    // Polled without events, a descriptor would still report that its other end hung up, again and again.
    let polls = [(client, clientEvents), (server, serverEvents)].compactMap { socket, events in
      events == 0 ? nil : pollfd(fd: socket.descriptor, events: events, revents: 0)
    }
    return (polls, wakeAt)
  }

  /// Ends the stream towards one end and discards what still comes in that direction; the other direction goes on.
  mutating func halfClose(towards end: FaultRelay.End) {
    switch end {
    case .client: replies.cut()
    case .server: requests.cut()
    }
  }

  /// Ends the streams at both ends.
  func close() {
    client.close()
    server.close()
  }

  /// Resets both ends. Unix sockets know no reset: their streams are ended.
  func reset() {
    client.reset()
    server.reset()
    close()
  }

  private mutating func moveGate(_ conduct: RelayConduct, at now: ContinuousClock.Instant) {
    switch (gate, conduct.hangsAfter) {
    case (.open, .some): gate = .shut
    case (.counting, nil), (.shut, nil):
      gate = .open
      replies.release(at: now)
    default: break
    }
  }

  private mutating func readRequests(_ passage: RelayConduct.Passage, at now: ContinuousClock.Instant) throws {
    guard passage != .holds, requests.wantsBytes, let bytes = try client.readAvailable() else { return }
    if bytes.isEmpty { requests.end() }
    if passage == .discards {
      hasLostBytes = true
    } else {
      requests.append(bytes[...], due: now)
    }
  }

  private mutating func readReplies(_ conduct: RelayConduct, at now: ContinuousClock.Instant) throws {
    guard conduct.replies != .holds, replies.wantsBytes, !gate.isShut, let bytes = try server.readAvailable() else {
      return
    }
    if bytes.isEmpty { replies.end() }
    if conduct.replies == .discards {
      hasLostBytes = true
      return
    }
    let passing = try gate.admit(bytes)
    replies.append(bytes[..<passing], due: now + conduct.replyDelay)
    replies.append(bytes[passing...], due: now + Self.never)
  }
}
