internal import EventLoop
internal import MultiStore
internal import RESP

/// The description of a client for other clients.
extension Session {
  var clientType: ClientType { subscription == nil ? .normal : .pubsub }

  /// The client's address, as a server shows it: `127.0.0.1:53211`, or the path of the listener's socket and `:0`.
  var shownAddress: String { Self.shown(stream.peer) }

  var shownLocalAddress: String { Self.shown(localAddress) }

  /// The client's line in CLIENT LIST. Values that the sidecar does not know are 0.
  var clientLine: String {
    let (channels, patterns, shardChannels) = subscription?.counts ?? (0, 0, 0)
    let subscribed = "sub=\(channels) psub=\(patterns) ssub=\(shardChannels)"
    let queued = transaction?.batch.byteCount ?? 0
    let memory = inputCount + output.count + stream.pendingWriteBytes + queued
    return "id=\(id) addr=\(shownAddress) laddr=\(shownLocalAddress) fd=-1 name=\(client.name) "
      + "age=\(ageSeconds) idle=\(idleSeconds) flags=\(flags) "
      + "db=\(database.number) \(subscribed) multi=\(transaction?.batch.count ?? -1) "
      + "qbuf=\(inputCount) qbuf-free=0 argv-mem=0 multi-mem=\(queued) rbs=0 rbp=0 "
      + "obl=\(output.count) oll=0 omem=\(stream.pendingWriteBytes) tot-mem=\(memory) "
      + "events=\(stream.pendingWriteBytes > 0 ? "rw" : "r") cmd=\(lastCommand == .other ? "NULL" : lastCommandName) "
      + "user=\(client.user) redir=-1 resp=\(delivery.protocolVersion.rawValue) "
      + "lib-name=\(client.libraryName) lib-ver=\(client.libraryVersion)"
  }

  private var lastCommandName: String { CommandTable.spec(lastCommand).name.description }

  /// The whole seconds since the client has connected.
  var ageSeconds: Int { Self.seconds(since: connectedAt, server.loop.now) }

  /// The whole seconds since it was active.
  var idleSeconds: Int { isProcessing ? 0 : Self.seconds(since: pace.lastActive, server.loop.now) }

  /// Its address without the port; nil on a unix socket.
  var ip: String? {
    let peer = stream.peer
    guard !peer.hasPrefix("unix:"), let colon = peer.lastIndex(of: ":") else { return nil }
    return String(peer[..<colon].drop { $0 == "[" }.prefix { $0 != "]" })
  }

  /// Its flags in CLIENT LIST.
  var flags: String {
    var flags = ""
    if isMonitoring { flags += "O" }
    if subscription != nil { flags += "P" }
    if isBlocked || state.isPaused { flags += "b" }
    if isClosing { flags += "c" }
    if transaction != nil { flags += "x" }
    if client.isSparedFromEviction { flags += "e" }
    if client.asksForNoTouch { flags += "T" }
    if stream.peer.hasPrefix("unix:") { flags += "U" }
    return flags.isEmpty ? "N" : flags
  }

  private static func shown(_ address: String) -> String {
    address.hasPrefix("unix:") ? address.dropFirst("unix:".count) + ":0" : address
  }

  private static func seconds(since start: UInt64, _ now: UInt64) -> Int {
    Int((now - min(now, start)) / 1_000_000_000)
  }
}
