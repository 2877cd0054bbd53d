internal import Foundation
internal import Synchronization

/// Connections that keep a listener busy without letting it finish anything, for as long as the object lives. One that
/// the server closes is made again at once.
public final class HostileConnections: Sendable {
  /// What each of the connections does.
  public enum Habit: Sendable {
    /// Says nothing.
    case silent
    /// Sends a text, and then one more byte every few milliseconds.
    case dripping(after: String)
    /// Sends a text, and reads nothing of the answer.
    case asking(String)
    /// Sends a text over and over, and reads nothing.
    case repeating(String)
  }

  private let attack: Attack

  /// Connects `count` times to a TCP port of 127.0.0.1, and waits until all have been connected once.
  ///
  /// - Parameter sources: The addresses of this machine that they come from in turn, such as 127.0.0.2.
  public init(_ count: Int, to port: UInt16, from sources: [String] = ["127.0.0.1"], _ habit: Habit) throws {
    raiseDescriptorLimit()
    let attack = Attack()
    self.attack = attack
    Thread.detachNewThread { attack.run(count, port, sources, habit) }
    try eventually("\(count) hostile connections are made") { attack.connected.load(ordering: .relaxed) >= count }
  }

  deinit {
    attack.isStopped.store(true, ordering: .relaxed)
  }

  /// How often the server has closed one of them.
  public var closedCount: Int { attack.closed.load(ordering: .relaxed) }
}

/// The thread behind ``HostileConnections``, which outlives it by a round.
private final class Attack: Sendable {
  private struct Connection {
    let source: String
    var descriptor: Int32 = -1
    var hasBegun = false
  }

  /// How long one look at all connections takes at least.
  private static let roundMilliseconds: Int32 = 20

  /// POLLRDHUP, which glibc shows only with _GNU_SOURCE (poll.h).
  private static let pollReadHangUp: Int16 = 0x2000

  let isStopped = Atomic(false)
  let connected = Atomic(0)
  let closed = Atomic(0)

  func run(_ count: Int, _ port: UInt16, _ sources: [String], _ habit: HostileConnections.Habit) {
    var connections = (0..<count).map { Connection(source: sources[$0 % sources.count]) }
    while !isStopped.load(ordering: .relaxed) {
      for index in connections.indices {
        if connections[index].descriptor < 0 { connect(&connections[index], port) }
        act(&connections[index], habit)
      }
      poll(nil, 0, Self.roundMilliseconds)
      for index in connections.indices where isClosed(connections[index].descriptor) {
        close(connections[index].descriptor)
        connections[index] = Connection(source: connections[index].source)
        closed.add(1, ordering: .relaxed)
      }
    }
    for connection in connections where connection.descriptor >= 0 { close(connection.descriptor) }
  }

  private func connect(_ connection: inout Connection, _ port: UInt16) {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_INET, type, 0)
    guard descriptor >= 0 else { return }
    // Nothing of what is not read is to lie in our own kernel's memory.
    var size: Int32 = 4096
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    guard withAddress(connection.source, 0, { bind(descriptor, $0, $1) }) == 0,
      withAddress("127.0.0.1", port, { Foundation.connect(descriptor, $0, $1) }) == 0 || errno == EINPROGRESS
    else {
      close(descriptor)
      return
    }
    connection.descriptor = descriptor
    connected.add(1, ordering: .relaxed)
  }

  private func act(_ connection: inout Connection, _ habit: HostileConnections.Habit) {
    guard connection.descriptor >= 0 else { return }
    switch habit {
    case .silent: break
    case .dripping(let text):
      if !connection.hasBegun {
        connection.hasBegun = write(text, to: connection.descriptor)
      } else {
        _ = write("x", to: connection.descriptor)
      }
    case .asking(let text):
      if !connection.hasBegun { connection.hasBegun = write(text, to: connection.descriptor) }
    case .repeating(let text): _ = write(text, to: connection.descriptor)
    }
  }

  private func write(_ text: String, to descriptor: Int32) -> Bool {
    Array(text.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } > 0
  }

  /// Whether the other end is gone, whatever it has sent before.
  private func isClosed(_ descriptor: Int32) -> Bool {
    guard descriptor >= 0 else { return false }
    var entry = pollfd(fd: descriptor, events: Self.pollReadHangUp, revents: 0)
    return poll(&entry, 1, 0) > 0
  }

  private func withAddress(_ host: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32)
    -> Int32
  {
    var value = sockaddr_in()
    value.sin_family = sa_family_t(AF_INET)
    value.sin_port = port.bigEndian
    inet_pton(AF_INET, host, &value.sin_addr)
    return withUnsafePointer(to: &value) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}

/// Lets this process have as many descriptors as it may: the usual limit is below what some tests open.
public func raiseDescriptorLimit() {
  var limit = rlimit()
  let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
  limit.rlim_cur = min(limit.rlim_max, 65536)
  setrlimit(resource, &limit)
}
