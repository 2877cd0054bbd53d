internal import CHiredis
internal import EventLoop
internal import Glibc

/// One hiredis context from connecting to its end, watched on the loop. All C calls on it are here and in its
/// extensions.
///
/// hiredis connects, and its reader parses the replies. It is fed and polled from here, since hiredis' own asynchronous
/// layer would allocate for every command, search it for the names of commands that change the kind of reply, and stop
/// the process with an assertion at a reply that it doesn't expect.
final class HiredisContext: PollHandleOwner {
  /// The memory that the reader and the output each keep between replies and commands: otherwise large values would
  /// request it from the operating system page by page, again for each of them. A store has few connections.
  static let keptBytes = 16 * 1024 * 1024

  /// The seconds of silence after which the kernel probes a TCP store; hiredis' own suggestion.
  private static let keepAliveSeconds: Int32 = 15

  /// The way to a connection that takes commands.
  private enum Progress {
    case connecting
    /// TLS shakes hands.
    case securing
    case connected
  }

  /// Nil once the owner has detached. The owner detaches in its deinit, so that it is alive while it is set.
  private(set) var owner: Unmanaged<HiredisConnection>?
  let loop: EventLoop
  private(set) var context: UnsafeMutablePointer<redisContext>?
  private(set) var poll: PollHandle?
  /// TLS of the connection; nil for a plain one.
  let tls: ContextTLS?
  private var progress = Progress.connecting
  /// The reason why the context ends when the reply's receiver has returned: the reader is in use until then.
  var pendingEnd: ContextEnd?
  var isDelivering = false
  /// The objects of the array reply that is being read or delivered.
  var arena = ReplyArena()
  /// Whether bytes are passed on as they come, without hiredis' reader.
  var isRaw = false
  /// The most bytes of a reply that is not complete; nil for no limit.
  var replyLimit: Int?
  /// The bytes that have come since a reply was complete; counted only with a limit.
  var unfinishedBytes = 0
  var output: ContextOutput
  /// Whether the loop calls ``endOfTurn()``, which writes the output.
  var isRegistered = false
  var gathering = OutputGathering()
  /// Whether the socket is watched for room to write, in addition to input; nil until it is connected.
  var watchesForRoom: Bool?

  /// Begins to connect to an IP literal or a unix socket, and then to shake hands if `tls` is given. The owner is
  /// notified of the result.
  ///
  /// - Throws: `ContextFailure` when it fails at once.
  init(
    on loop: EventLoop,
    address: SocketAddress,
    tls: ContextTLS?,
    replyLimit: Int? = nil,
    owner: HiredisConnection
  ) throws(ContextFailure) {
    self.loop = loop
    self.tls = tls
    self.replyLimit = replyLimit
    output = ContextOutput(tls: tls)
    self.owner = Unmanaged.passUnretained(owner)
    let connecting: UnsafeMutablePointer<redisContext>?
    switch address {
    case .tcp(let host, let port):
      connecting = redisConnectNonBlock(host, Int32(truncatingIfNeeded: port))
    case .unix(let path):
      // hiredis truncates a longer path, and would connect elsewhere.
      let longest = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
      guard path.utf8.count <= longest else {
        throw ContextFailure(reason: "the path of a unix socket has \(longest) bytes at most")
      }
      connecting = redisConnectUnixNonBlock(path)
    }
    guard let connecting else { throw ContextFailure(reason: "out of memory") }
    guard connecting.pointee.err == 0 else {
      let reason = withUnsafeBytes(of: &connecting.pointee.errstr) { Self.text($0) }
      redisFree(connecting)
      throw ContextFailure(reason: reason)
    }
    Self.configure(connecting.pointee.fd, address)
    do throws(EventLoopError) {
      poll = try PollHandle(on: loop, fd: connecting.pointee.fd, owner: self)
    } catch {
      redisFree(connecting)
      throw ContextFailure(reason: error.description)
    }
    ReplyObjects.install(in: connecting.pointee.reader, for: self)
    connecting.pointee.reader.pointee.maxbuf = Self.keptBytes
    context = connecting
    poll?.update(readable: false, writable: true)
  }

  deinit {
    precondition(context == nil, "a hiredis context outlived its owner")
  }

  /// Whether the handshake of TLS, if there is one, is done.
  var isConnected: Bool { progress == .connected }

  /// Whether bytes can be appended.
  var isOpen: Bool { isConnected && context != nil && pendingEnd == nil }

  /// Ends the context, and notifies the owner as of any other end. Called from a reply's receiver, it ends the context
  /// after the receiver has returned.
  func abort(_ reason: ContextEnd) {
    end(reason)
  }

  /// Ends the context without notifying the owner.
  func detach() {
    owner = nil
    end(.failed("the connection was closed"))
  }

  func pollHandle(_ handle: PollHandle, isReadyFor events: PollEvents) {
    if events.contains(.loopClosed) { return end(.failed("the event loop was closed")) }
    switch progress {
    // Readable and failed count too: the socket's error shows whether it is connected.
    case .connecting: return finishConnecting()
    case .securing: return continueHandshake()
    case .connected: break
    }
    if events.contains(.failed) {
      readRest()
      return
    }
    if events.contains(.readable) { read() }
    if events.contains(.writable) { write() }
  }

  /// Sets the socket options that hiredis leaves out. A failure of one does not matter.
  private static func configure(_ fd: Int32, _ address: SocketAddress) {
    _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
    guard case .tcp = address else { return }
    let options = [
      (SOL_SOCKET, SO_KEEPALIVE, 1),
      (Int32(IPPROTO_TCP), TCP_KEEPIDLE, keepAliveSeconds),
      (Int32(IPPROTO_TCP), TCP_KEEPINTVL, keepAliveSeconds / 3),
      (Int32(IPPROTO_TCP), TCP_KEEPCNT, 3),
    ]
    for (level, name, value) in options {
      var value = value
      setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// Returns the text up to a zero byte.
  static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  static func text(_ error: Int32) -> String { String(cString: strerror(error)) }

  private func finishConnecting() {
    guard let context else { return }
    var error: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(context.pointee.fd, SOL_SOCKET, SO_ERROR, &error, &length)
    guard error == 0 else { return end(.failed(Self.text(error))) }
    guard let tls else { return didConnect() }
    progress = .securing
    owner?.takeUnretainedValue().contextDidReachStore()
    tls.begin()
    flushHandshake()
  }

  /// Records that commands can be sent.
  func didConnect() {
    progress = .connected
    tls?.didSecure()
    owner?.takeUnretainedValue().contextDidConnect()
    watch()
  }

  /// Ends the context and notifies the owner; after the delivery if a reply is being delivered.
  func end(_ end: ContextEnd) {
    guard let context, pendingEnd == nil else { return }
    guard !isDelivering else {
      pendingEnd = end
      return
    }
    self.context = nil
    if progress != .connecting, let tls {
      tls.didEnd()
      tls.sayGoodbye(to: context.pointee.fd)
    }
    poll?.close()
    redisFree(context)
    let owner = owner?.takeUnretainedValue()
    self.owner = nil
    owner?.contextDidEnd(end)
  }
}
