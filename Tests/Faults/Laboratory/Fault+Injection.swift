import TestSupport

extension Fault {
  /// Brings the fault about, keeps it up for a time, and takes it away.
  func apply(to site: FaultSite, for duration: Duration) throws {
    switch self {
    case .connectionsKilled:
      for _ in 0..<Self.kills {
        try site.faultyStore.client().command("CLIENT", "KILL", "TYPE", "normal")
        pause(for: duration / Self.kills)
      }
    case .emptied:
      try site.faultyStore.restart()
      pause(for: duration)
    case .sidecarKilled:
      site.killSidecar()
      try site.restartSidecar()
      pause(for: duration)
    default:
      try begin(at: site, for: duration)
      pause(for: duration)
      try end(at: site)
    }
  }

  private func begin(at site: FaultSite, for duration: Duration) throws {
    let store = site.faultyStore
    switch self {
    case .stopped: store.pause()
    case .killed: store.kill()
    case .writesPaused:
      // Ended by hand; the server's own limit is only there in case that fails.
      let milliseconds = Int(duration / .milliseconds(1)) + 60_000
      try expectOK(store.client().command("CLIENT", "PAUSE", "\(milliseconds)", "WRITE"))
    case .full: try expectOK(store.client().command("CONFIG", "SET", "maxmemory", "1"))
    case .readOnly: try expectOK(store.client().command("REPLICAOF", "127.0.0.1", "1"))
    case .idleTimeout: try expectOK(store.client().command("CONFIG", "SET", "timeout", "1"))
    case .blackHoled: site.relay?.conduct = .blackHole
    case .mute: site.relay?.conduct = RelayConduct(replies: .holds)
    case .ignoring:
      site.relay?.conduct = .ignoring
      site.relay?.closeConnections()
    case .hanging:
      // The handshake ends with PING.
      site.relay?.conduct = RelayConduct(hangsAfter: .through(.simple("PONG")))
      site.relay?.closeConnections()
    case .slow: site.relay?.conduct = RelayConduct(replyDelay: Self.slowness)
    case .flapping: site.relay?.flap(every: Self.flapPeriod)
    case .halfClosed: site.relay?.halfClose(towards: .client)
    case .connectionsKilled, .emptied, .older, .sidecarKilled: break
    }
  }

  private func end(at site: FaultSite) throws {
    let store = site.faultyStore
    switch self {
    case .stopped: store.resume()
    case .killed: try store.restart()
    case .writesPaused: try expectOK(store.client().command("CLIENT", "UNPAUSE"))
    case .full: try expectOK(store.client().command("CONFIG", "SET", "maxmemory", "0"))
    case .readOnly: try expectOK(store.client().command("REPLICAOF", "NO", "ONE"))
    case .idleTimeout: try expectOK(store.client().command("CONFIG", "SET", "timeout", "0"))
    default: site.relay?.conduct = .passing
    }
  }

  private func expectOK(_ reply: RESPReply) throws {
    guard reply == .ok else { throw TestSupportError(.process, "the fault \(rawValue) was refused: \(reply)") }
  }
}
