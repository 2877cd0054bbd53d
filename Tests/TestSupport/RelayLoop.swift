internal import Foundation
internal import Synchronization

/// The time at which a flapping relay changes sides.
struct RelayFlap {
  let period: Duration
  var next: ContinuousClock.Instant
}

/// The relay's state, guarded by the loop's lock.
struct RelayCore {
  private let server: SocketAddress
  private let address: SocketAddress
  private var listener: ListeningSocket?
  var conduct = RelayConduct.passing
  var flap: RelayFlap?
  var links: [RelayLink] = []
  var acceptedCount = 0
  var isStopped = false

  init(to server: SocketAddress, listener: ListeningSocket) {
    self.server = server
    self.listener = listener
    address = listener.address
  }

  /// Takes over a conduct, with the listener that it needs.
  mutating func apply(_ conduct: RelayConduct) {
    self.conduct = conduct
    if conduct.admission == .refuses {
      // A socket that the thread polls at this moment is open, and listens, until that returns.
      listener?.stop()
      listener = nil
    } else if listener == nil {
      // A unix socket's file stays when its listener is closed, so that connecting is refused; here it is in the way.
      if case .unix(let path) = address { unlink(path) }
      do {
        listener = try ListeningSocket(address)
      } catch {
        preconditionFailure("the relay's address was taken while it refused connections: \(error)")
      }
    }
    turn()
  }

  mutating func closeLinks(_ closing: FaultRelay.Closing) {
    for link in links {
      switch closing {
      case .orderly: link.close()
      case .reset: link.reset()
      }
    }
    links = []
  }

  /// Does what can be done now.
  mutating func turn() {
    let now = ContinuousClock.now
    if let flap, flap.next <= now {
      self.flap?.next = flap.next + flap.period
      if conduct.admission == .refuses {
        apply(.passing)
      } else {
        closeLinks(.reset)
        apply(.refusing)
      }
    }
    if conduct.admission == .accepts {
      while let client = listener?.acceptAvailable() {
        acceptedCount += 1
        // Without a server the client is closed: it is connected already, and can't be refused any more.
        guard let server = try? Socket(connectingTo: server) else { continue }
        links.append(RelayLink(client: client, server: server, conduct: conduct))
      }
    }
    var open: [RelayLink] = []
    for var link in links where link.turn(conduct, at: now) { open.append(link) }
    links = open
  }

  /// What to wait for: descriptors with their events, and a moment.
  func interests() -> (polls: [pollfd], wakeAt: ContinuousClock.Instant?) {
    var polls: [pollfd] = []
    var wakeAt = flap?.next
    if conduct.admission == .accepts, let listener {
      polls.append(pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0))
    }
    let now = ContinuousClock.now
    for link in links {
      let (more, due) = link.interests(conduct, at: now)
      polls += more
      if let due { wakeAt = min(wakeAt ?? due, due) }
    }
    return (polls, wakeAt)
  }
}

/// The relay's thread and those that use the relay share its state here: the thread holds the lock but for when it
/// waits, and is woken after each change.
final class RelayLoop: Sendable {
  private let core: Mutex<RelayCore>
  private let waking: Socket
  private let woken: Socket

  init(to server: SocketAddress, listener: ListeningSocket) throws {
    core = Mutex(RelayCore(to: server, listener: listener))
    let (ours, theirs) = try socketPair()
    waking = Socket(takingOwnership: ours)
    woken = Socket(takingOwnership: theirs)
  }

  /// Reads or changes the state, and lets the thread take notice.
  func change<Result>(_ body: (inout RelayCore) -> Result) -> Result where Result: Sendable {
    let result = core.withLock { body(&$0) }
    // A full socket wakes the thread as well.
    _ = try? waking.writeAvailable([0])
    return result
  }

  /// Waits and does what has come; false once the relay was stopped.
  func turn() -> Bool {
    guard let (wanted, wakeAt) = core.withLock({ $0.isStopped ? nil : $0.interests() }) else { return false }
    var polls = wanted
    polls.append(pollfd(fd: woken.descriptor, events: Int16(POLLIN), revents: 0))
    let wait = wakeAt.map { max(0, ContinuousClock.now.duration(to: $0) / .milliseconds(1)) }
    poll(&polls, nfds_t(polls.count), wait.map { Int32(min($0.rounded(.up), 60_000)) } ?? -1)
    _ = try? woken.readAvailable()
    core.withLock { $0.turn() }
    return true
  }
}
