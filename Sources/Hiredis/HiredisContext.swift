internal import CHiredis
internal import EventLoop
internal import Glibc

/// One asynchronous hiredis context from connecting to its end, watched on the loop. All C calls on it are here.
///
/// The C context belongs to hiredis, which frees it and says so through the cleanup hook: from then on `context` is
/// nil. hiredis still touches the context after that hook, and the code that called into hiredis still runs; so the one
/// reference that C holds becomes the loop's until the end of the turn. None of hiredis' other loop hooks is set: this
/// class knows when it appended something, and writes at the end of the turn.
final class HiredisContext: PollHandleOwner, EndOfTurnWorker {
  /// Memory that the reader keeps between replies. The default of 16 KiB would make it free and allocate its buffer
  /// for each larger value.
  private static let keptReaderBytes = 1024 * 1024
  /// Bytes that one `redisAsyncHandleRead` takes from the socket at most.
  static let bytesPerRead = 16 * 1024
  /// How often it is called for one large reply before the others on the loop have their turn.
  static let readsPerTurn = 16
  /// Reads that get what a broken connection still has in its buffers.
  private static let readsAfterFailure = 1024

  /// Seconds of silence after which the kernel asks whether a TCP store is still there; hiredis' own suggestion.
  private static let keepAliveSeconds: Int32 = 15

  /// Nil once the owner lost interest; not retained, the owner lets go in its deinit.
  private(set) unowned(unsafe) var owner: (any HiredisContextOwner)?
  private let loop: EventLoop
  private(set) var context: UnsafeMutablePointer<redisAsyncContext>?
  private var poll: PollHandle?
  private var isConnected = false
  private(set) var isAborted = false
  /// The store speaks unasked from now on: replies are not matched with commands any more.
  var isPushing = false
  /// With `isPushing`: the bytes are handed on as they come, and hiredis' reader is left out.
  var isRaw = false
  private var isRegistered = false
  /// Why this side ended it, when it was not on the owner's behalf.
  private var abortReason: String?
  /// Bytes that hiredis holds and the operating system has not taken.
  private(set) var unwrittenBytes = 0

  /// Begins to connect to an IP literal or a unix socket. Whether that works is heard through `owner`.
  ///
  /// - Throws: `ContextFailure` when it fails at once.
  init(on loop: EventLoop, address: SocketAddress, owner: any HiredisContextOwner) throws(ContextFailure) {
    self.loop = loop
    self.owner = owner
    let connected: UnsafeMutablePointer<redisAsyncContext>?
    switch address {
    case .tcp(let host, let port):
      connected = redisAsyncConnect(host, Int32(truncatingIfNeeded: port))
    case .unix(let path):
      // hiredis cuts off what is too long, and would connect elsewhere.
      let longest = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
      guard path.utf8.count <= longest else {
        throw ContextFailure(reason: "the path of a unix socket has \(longest) bytes at most")
      }
      connected = redisAsyncConnectUnix(path)
    }
    guard let connected else { throw ContextFailure(reason: "out of memory") }
    guard connected.pointee.err == 0 else {
      // Only in this case is the context the caller's to free; none of its hooks is set.
      let reason = Self.errorText(connected)
      redisAsyncFree(connected)
      throw ContextFailure(reason: reason)
    }
    Self.configure(connected.pointee.c.fd, address)
    do throws(EventLoopError) {
      poll = try PollHandle(on: loop, fd: connected.pointee.c.fd, owner: self)
    } catch {
      redisAsyncFree(connected)
      throw ContextFailure(reason: error.description)
    }
    ReplyObjects.install(in: connected.pointee.c.reader)
    connected.pointee.c.reader.pointee.maxbuf = Self.keptReaderBytes
    context = connected
    connected.pointee.ev.data = Unmanaged.passRetained(self).toOpaque()
    connected.pointee.ev.cleanup = { data in
      if let data { Unmanaged<HiredisContext>.fromOpaque(data).takeRetainedValue().cleanUp() }
    }
    redisAsyncSetConnectCallback(connected) { context, status in
      // A failure is followed by the cleanup hook, which tells of it.
      if status == REDIS_OK, let context { HiredisContext.of(context)?.didConnect() }
    }
    poll?.update(readable: false, writable: true)
  }

  deinit {
    precondition(context == nil, "a hiredis context outlived its owner")
  }

  /// Whether commands can be appended.
  var isOpen: Bool { isConnected && !isAborted }

  /// Appends one command or its beginning, to be written at the end of the turn. False when hiredis refuses it.
  func append(_ command: Span<UInt8>) -> Bool {
    guard let context, isOpen else { return false }
    precondition(Self.looksLikeCommand(command), "what is sent to a store has to be an array of bulk strings")
    let status = command.withUnsafeBytes { Self.append($0, to: context) }
    guard status == REDIS_OK else { return false }
    willWrite(command.count)
    return true
  }

  /// Appends bytes that belong to the command that was appended last. False when there is no context any more.
  func appendMore(_ bytes: Span<UInt8>) -> Bool {
    guard let context, isOpen else { return false }
    let status = bytes.withUnsafeBytes { bytes in
      redisAppendFormattedCommand(
        &context.pointee.c,
        bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
        bytes.count
      )
    }
    guard status == REDIS_OK else { return false }
    willWrite(bytes.count)
    return true
  }

  /// Reads what is there without waiting for the loop to say so.
  func readNow() {
    read()
  }

  /// Ends the context, and the owner hears of it as with any other end. From within a reply's receiver the end comes
  /// after the receiver has returned.
  func abort(reason: String? = nil) {
    guard let context, !isAborted else { return }
    isAborted = true
    abortReason = reason
    redisAsyncFree(context)
  }

  /// Ends the context without telling the owner.
  func detach() {
    owner = nil
    abort()
  }

  func endOfTurn() {
    isRegistered = false
    write()
  }

  func pollHandle(_ handle: PollHandle, isReadyFor events: PollEvents) {
    if events.contains(.loopClosed) {
      abort(reason: "the event loop was closed")
      return
    }
    guard isConnected else {
      // Readable and failed count too: hiredis asks the socket what became of it.
      if let context { redisAsyncHandleWrite(context) }
      watch()
      return
    }
    if events.contains(.failed) {
      readRest()
      return
    }
    if events.contains(.readable) { read() }
    if events.contains(.writable) { write() }
  }

  static func of(_ context: UnsafePointer<redisAsyncContext>) -> HiredisContext? {
    context.pointee.ev.data.map { Unmanaged<HiredisContext>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Sets what hiredis leaves out. Nothing of it can fail in a way that matters.
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

  private static func errorText(_ context: UnsafeMutablePointer<redisAsyncContext>) -> String {
    context.pointee.errstr.map { String(cString: $0) } ?? "unknown error"
  }

  private func willWrite(_ byteCount: Int) {
    unwrittenBytes += byteCount
    guard !isRegistered else { return }
    isRegistered = true
    loop.atEndOfTurn(self)
  }

  private func didConnect() {
    isConnected = true
    owner?.contextDidConnect()
  }

  func didReceive(_ reply: UnsafePointer<redisReply>) {
    guard let context, !isAborted else { return }
    // hiredis stops the process with an assertion when there are more replies than commands.
    let reader = context.pointee.c.reader.pointee
    let isLast = context.pointee.replies.head == nil
    let isUnsolicited = isLast && reader.pos < reader.len
    owner?.contextDidReceive(reply)
    if isUnsolicited { abort(reason: "the store sent more replies than it got commands") }
  }

  private func read() {
    if isPushing { return isRaw ? readRaw() : readPushes() }
    guard let context, !isAborted else { return }
    if context.pointee.replies.head == nil, isUnsolicited(context.pointee.c.fd) {
      abort(reason: "the store sent something that nobody had asked for")
      return
    }
    redisAsyncHandleRead(context)
    // A reply that is larger than a read is most likely followed by more of it.
    var reads = 1
    while reads < Self.readsPerTurn, let context = self.context, !isAborted, context.pointee.replies.head != nil {
      let reader = context.pointee.c.reader
      guard let reader, reader.pointee.ridx >= 0, reader.pointee.len - reader.pointee.pos >= Self.bytesPerRead else {
        return
      }
      redisAsyncHandleRead(context)
      reads += 1
    }
  }

  /// Whether there is data to read. Its end or an error is hiredis' to find.
  private func isUnsolicited(_ fd: Int32) -> Bool {
    var byte: UInt8 = 0
    return recv(fd, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
  }

  /// The descriptor is not watched any more. Replies that came before the connection broke are still delivered.
  private func readRest() {
    var reads = 0
    while context != nil, !isAborted, reads < Self.readsAfterFailure {
      read()
      reads += 1
    }
    abort(reason: "the connection failed")
  }

  private func write() {
    guard let context, isOpen, unwrittenBytes > 0 else { return }
    redisAsyncHandleWrite(context)
    guard let context = self.context, !isAborted else { return }
    unwrittenBytes = sdslen(context.pointee.c.obuf)
    if unwrittenBytes == 0 { owner?.contextDidDrain() }
    watch()
  }

  private func watch() {
    guard context != nil, isConnected else { return }
    poll?.update(readable: true, writable: unwrittenBytes > 0 && !isRegistered)
  }

  /// hiredis' cleanup hook: it is about to free the context.
  private func cleanUp() {
    guard let context else { return }
    self.context = nil
    poll?.close()
    // Keeps this object until hiredis' own functions have returned.
    isRegistered = true
    loop.atEndOfTurn(self)
    let owner = owner
    self.owner = nil
    owner?.contextDidEnd(end(context))
  }

  private func end(_ context: UnsafeMutablePointer<redisAsyncContext>) -> ContextEnd {
    if let abortReason { return .failed(abortReason) }
    if isAborted { return .aborted }
    switch context.pointee.err {
    case REDIS_ERR_EOF:
      return .failed("the store closed the connection")
    case REDIS_ERR_PROTOCOL:
      let text = Self.errorText(context)
      // The reader keeps no other trace of what it did not like.
      return text.hasPrefix("No support for nested multi bulk") ? .replyTooDeep : .failed(text)
    default:
      return .failed(Self.errorText(context))
    }
  }
}
