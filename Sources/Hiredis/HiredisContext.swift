internal import CHiredis
internal import EventLoop
internal import Glibc
internal import RESP

/// One hiredis context from connecting to its end, watched on the loop. All C calls on it are here and in its
/// extensions.
///
/// hiredis connects, and its reader takes the replies apart. It is fed and asked from here, since hiredis' own
/// asynchronous layer would allocate for every command, search it for the names of commands that change what comes
/// back, and stop the process with an assertion where a store's words surprise it.
final class HiredisContext: PollHandleOwner, EndOfTurnWorker {
  /// Memory that the reader and the output keep, each, between replies and commands: what large values need would be
  /// asked of the operating system page by page, again for each of them. A store has few connections.
  private static let keptBytes = 16 * 1024 * 1024
  /// When so much has been gathered it is written before the turn ends: a server reads 16 KiB at a time, and executes
  /// them while the rest is gathered here.
  private static let earlyWriteBytes = 16 * 1024
  /// Where several commands are under way, others are about to come: the output is written so many turns later, or when
  /// a turn has brought no more. The store gets them at once, and wakes up once for them.
  private static let mostGatheringTurns = 2
  /// A command of this size is written at once if nothing waits before it, instead of being copied first.
  private static let directWriteBytes = 64 * 1024
  /// What the reader is fed with at once. Whenever it has taken 1 KiB out, it moves all that it holds to the front: of
  /// 64 KiB that would be thirty times a reply of that size.
  private static let feedBytes = 4 * 1024
  /// A string of which the reader has so much and more is to come is read right into the reader's memory.
  private static let largeReplyBytes = 64 * 1024
  /// The most that is read at once of it.
  private static let directReadBytes = 256 * 1024
  /// Digits that a length may have, and the end of the line.
  private static let longestLength = 21
  /// How often one context is read before the others on the loop have their turn.
  private static let readsPerTurn = 4
  /// Reads that get what a broken connection still has in its buffers.
  private static let readsAfterFailure = 256

  /// Seconds of silence after which the kernel asks whether a TCP store is still there; hiredis' own suggestion.
  private static let keepAliveSeconds: Int32 = 15

  /// Nil once the owner lost interest. It lets go of this object in its deinit, so that it is alive while it is set.
  private var owner: Unmanaged<HiredisConnection>?
  private let loop: EventLoop
  private var context: UnsafeMutablePointer<redisContext>?
  private var poll: PollHandle?
  private var isConnected = false
  /// Why it is about to end, once a reply's receiver has returned: the reader is at work until then.
  private var pendingEnd: ContextEnd?
  private var isDelivering = false
  /// The bytes that the store says are handed on as they come, and hiredis' reader is left out.
  var isRaw = false
  private var isRegistered = false
  /// Turns that the output has waited for more, and what it was at the end of the last of them.
  private var gatheringTurns = 0
  private var gatheredBytes = 0
  /// The operating system did not take all that it was offered last; it says when it takes more.
  private(set) var isSocketFull = false
  /// What the operating system has not taken yet. Never lent to code that could come back here.
  private var output = ByteBuffer()
  /// A large command that stands before the output, and how much of it is still to be written.
  private var large: SharedBytes?
  private var largeLeft = 0

  /// Begins to connect to an IP literal or a unix socket. Whether that works is heard through `owner`.
  ///
  /// - Throws: `ContextFailure` when it fails at once.
  init(on loop: EventLoop, address: SocketAddress, owner: HiredisConnection) throws(ContextFailure) {
    self.loop = loop
    self.owner = Unmanaged.passUnretained(owner)
    let connecting: UnsafeMutablePointer<redisContext>?
    switch address {
    case .tcp(let host, let port):
      connecting = redisConnectNonBlock(host, Int32(truncatingIfNeeded: port))
    case .unix(let path):
      // hiredis cuts off what is too long, and would connect elsewhere.
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

  /// Whether bytes can be appended.
  var isOpen: Bool { isConnected && context != nil && pendingEnd == nil }

  /// Bytes that the operating system has not taken.
  @inline(__always)
  var unwrittenBytes: Int { output.count + largeLeft }

  /// Appends commands or a part of them, to be written as soon as no more come at once. False when it can't take any.
  ///
  /// - Parameter owner: what holds `bytes`, and nothing else. If they are large and nothing waits before them, it is
  ///   retained until they are written; otherwise what is not written at once is copied.
  func append(_ bytes: Span<UInt8>, of owner: SharedBytes? = nil) -> Bool {
    guard let context, isOpen else { return false }
    // What goes wrong here goes wrong when the rest is written as well, and is found then.
    if bytes.count >= Self.directWriteBytes {
      appendLarge(bytes, of: owner, context.pointee.fd)
    } else {
      output.append(bytes)
      if output.count >= Self.earlyWriteBytes, !isSocketFull { flush(context.pointee.fd) }
    }
    willWrite()
    return true
  }

  private func appendLarge(_ bytes: Span<UInt8>, of owner: SharedBytes?, _ fd: Int32) {
    if !isSocketFull { flush(fd) }
    guard unwrittenBytes == 0 else { return output.append(bytes) }
    let taken = max(0, Self.send(bytes, to: fd))
    isSocketFull = taken < bytes.count
    if let owner, isSocketFull {
      precondition(owner.count == bytes.count, "a command's owner holds something else")
      large = owner
      largeLeft = owner.count - taken
    } else {
      output.append(bytes.extracting(taken...))
    }
  }

  /// Reads what is there without waiting for the loop to say so.
  func readNow() {
    read()
  }

  /// Offers what there is to the operating system without waiting for the end of the turn.
  func writeNow() {
    if let context, isOpen { flush(context.pointee.fd) }
  }

  /// Ends the context, and the owner hears of it as with any other end. From within a reply's receiver the end comes
  /// after the receiver has returned.
  func abort(_ reason: ContextEnd = .aborted) {
    end(reason)
  }

  /// Ends the context without telling the owner.
  func detach() {
    owner = nil
    abort()
  }

  func endOfTurn() {
    if canGatherMore {
      gatheringTurns += 1
      gatheredBytes = output.count
      loop.atEndOfNextTurn(self)
      return
    }
    gatheringTurns = 0
    gatheredBytes = 0
    isRegistered = false
    write()
  }

  /// Whether it is worth to look at the sockets once more, which takes no time, before the output is written. A command
  /// that is alone does not wait.
  private var canGatherMore: Bool {
    guard gatheringTurns < Self.mostGatheringTurns, output.count > gatheredBytes, let owner else { return false }
    return owner._withUnsafeGuaranteedRef { $0.inFlightCount } > 1
  }

  func pollHandle(_ handle: PollHandle, isReadyFor events: PollEvents) {
    if events.contains(.loopClosed) {
      abort(.failed("the event loop was closed"))
      return
    }
    // Readable and failed count too: the socket says what became of it.
    guard isConnected else { return finishConnecting() }
    if events.contains(.failed) {
      readRest()
      return
    }
    if events.contains(.readable) { read() }
    if events.contains(.writable) { write() }
  }

  /// A reply that is no part of another, right from the reader. It is gone when this returns.
  @inline(__always)
  func deliver(_ reply: UnsafePointer<redisReply>) {
    guard pendingEnd == nil, let owner else { return }
    // `read` keeps it alive.
    owner._withUnsafeGuaranteedRef { $0.contextDidReceive(reply) }
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

  /// Text that ends at a zero byte.
  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func text(_ error: Int32) -> String { String(cString: strerror(error)) }

  /// How many bytes the operating system took; minus the error number if it took none.
  private static func send(_ bytes: Span<UInt8>, to fd: Int32) -> Int {
    bytes.withUnsafeBytes { bytes in
      let count = Glibc.send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
      return count < 0 ? -Int(errno) : count
    }
  }

  private func finishConnecting() {
    guard let context else { return }
    var error: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(context.pointee.fd, SOL_SOCKET, SO_ERROR, &error, &length)
    guard error == 0 else { return end(.failed(Self.text(error))) }
    isConnected = true
    owner?.takeUnretainedValue().contextDidConnect()
    watch()
  }

  // MARK: Writing

  private func willWrite() {
    guard !isRegistered else { return }
    isRegistered = true
    loop.atEndOfTurn(self)
  }

  /// Offers what there is to the operating system; returns what ``send(_:to:)`` has returned last.
  @discardableResult
  private func flush(_ fd: Int32) -> Int {
    var count = 0
    if largeLeft > 0, let large {
      count = large.withSpan { Self.send($0.extracting(last: largeLeft), to: fd) }
      largeLeft -= max(0, count)
      if largeLeft == 0 { self.large = nil }
    }
    if largeLeft == 0, !output.isEmpty {
      count = output.withSpan { Self.send($0, to: fd) }
      if count > 0 { output.removeFirst(count) }
    }
    isSocketFull = unwrittenBytes > 0
    return count
  }

  private func write() {
    guard let context, isOpen else { return }
    if unwrittenBytes > 0 {
      let count = flush(context.pointee.fd)
      if count < 0, count != -Int(EAGAIN), count != -Int(EINTR) { return end(.failed(Self.text(Int32(-count)))) }
    }
    if output.isEmpty { output.removeAll(keepingCapacityUpTo: Self.keptBytes) }
    owner?.takeUnretainedValue().contextDidWrite()
    watch()
  }

  private func watch() {
    guard context != nil, isConnected else { return }
    poll?.update(readable: true, writable: unwrittenBytes > 0 && !isRegistered)
  }

  // MARK: Reading

  private func read() {
    // Whoever hears of a reply may let go of the owner, and the owner of this object.
    guard let owner = owner?.takeUnretainedValue() else { return }
    withExtendedLifetime((owner, self)) {
      var reads = 0
      while reads < Self.readsPerTurn, let context, pendingEnd == nil, readOnce(context, owner) { reads += 1 }
    }
  }

  /// Reads once, and hands on what is whole; false when nothing more is there.
  private func readOnce(_ context: UnsafeMutablePointer<redisContext>, _ owner: HiredisConnection) -> Bool {
    guard let reader = context.pointee.reader else { return false }
    let missing = isRaw ? 0 : Self.missingBytes(of: reader)
    guard missing == 0 else {
      let room = min(missing, Self.directReadBytes)
      let count = Self.receive(room, from: context.pointee.fd, into: reader)
      return hasRead(count, of: room) { _ in deliverReplies(of: reader) }
    }
    let buffer = loop.readBuffer
    let count = recv(context.pointee.fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
    return hasRead(count, of: buffer.count) { count in
      let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      if isRaw {
        owner.contextDidReceiveRaw(bytes.assumingMemoryBound(to: UInt8.self).span)
      } else {
        feed(bytes, to: reader)
      }
    }
  }

  /// Has `deliver` hand on what came, if anything did; false when nothing more is there. To be called right after
  /// `recv`, with what that has returned.
  @inline(__always)
  private func hasRead(_ count: Int, of room: Int, _ deliver: (Int) -> Void) -> Bool {
    guard count > 0 else {
      stopReading(count, errno)
      return false
    }
    isDelivering = true
    deliver(count)
    didDeliver()
    return count == room
  }

  private func stopReading(_ count: Int, _ error: Int32) {
    if count == 0 { return end(.failed("the store closed the connection")) }
    if error != EAGAIN, error != EINTR { end(.failed(Self.text(error))) }
  }

  /// How much has not come of the large string that the reader has the beginning of; 0 if it has none. The reader stays
  /// at the string's length until it has all of it.
  private static func missingBytes(of reader: UnsafeMutablePointer<redisReader>) -> Int {
    let buffered = reader.pointee.len - reader.pointee.pos
    guard buffered >= largeReplyBytes, let start = reader.pointee.buf else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: start + reader.pointee.pos, count: buffered)
    guard let lineEnd = bytes.prefix(longestLength).firstIndex(of: UInt8(ascii: "\r")),
      let length = Int(String(decoding: bytes[..<lineEnd], as: UTF8.self))
    else { return 0 }
    // A length that no memory can hold is the reader's affair.
    return max(0, lineEnd + 2 + min(length, Int.max / 2) + 2 - buffered)
  }

  /// Reads up to `count` bytes that belong to the string in the reader's buffer; returns what `recv` did.
  private static func receive(
    _ count: Int,
    from fd: Int32,
    into reader: UnsafeMutablePointer<redisReader>
  ) -> Int {
    guard let buffer = sdsMakeRoomFor(reader.pointee.buf, count) else { fatalError("out of memory for a reply") }
    reader.pointee.buf = buffer
    let received = recv(fd, buffer + reader.pointee.len, count, Int32(MSG_DONTWAIT))
    if received > 0 {
      sdsIncrLen(buffer, Int32(received))
      reader.pointee.len += received
    }
    return received
  }

  /// Has the reader take `bytes` and hands on what is whole. They lie in the loop's buffer, which the next socket that
  /// is read takes: a reply's receiver reads none.
  private func feed(_ bytes: UnsafeRawBufferPointer, to reader: UnsafeMutablePointer<redisReader>) {
    var fed = 0
    while fed < bytes.count, pendingEnd == nil {
      let piece = UnsafeRawBufferPointer(rebasing: bytes[fed..<min(bytes.count, fed + Self.feedBytes)])
      redisReaderFeed(reader, piece.baseAddress?.assumingMemoryBound(to: CChar.self), piece.count)
      fed += piece.count
      deliverReplies(of: reader)
    }
  }

  /// Hands on all replies that are whole.
  private func deliverReplies(of reader: UnsafeMutablePointer<redisReader>) {
    while pendingEnd == nil {
      var object: UnsafeMutableRawPointer?
      guard redisReaderGetReply(reader, &object) == REDIS_OK else {
        pendingEnd = Self.end(of: reader)
        break
      }
      guard let object else { break }
      guard !ReplyObjects.wasDelivered(object) else { continue }
      deliver(UnsafePointer(object.assumingMemoryBound(to: redisReply.self)))
      freeReplyObject(object)
    }
  }

  private func didDeliver() {
    owner?._withUnsafeGuaranteedRef { $0.contextDidRead() }
    isDelivering = false
    guard let pendingEnd else { return }
    self.pendingEnd = nil
    end(pendingEnd)
  }

  /// Why the reader gave up.
  private static func end(of reader: UnsafeMutablePointer<redisReader>) -> ContextEnd {
    let reason = withUnsafeBytes(of: &reader.pointee.errstr) { text($0) }
    // The reader keeps no other trace of what it did not like.
    return reason.hasPrefix("No support for nested multi bulk") ? .replyTooDeep : .protocolViolated(reason)
  }

  /// The descriptor is not watched any more. Replies that came before the connection broke are still delivered.
  private func readRest() {
    var reads = 0
    while context != nil, reads < Self.readsAfterFailure {
      read()
      reads += 1
    }
    abort(.failed("the connection failed"))
  }

  // MARK: The end

  private func end(_ end: ContextEnd) {
    guard let context, pendingEnd == nil else { return }
    guard !isDelivering else {
      pendingEnd = end
      return
    }
    self.context = nil
    poll?.close()
    redisFree(context)
    let owner = owner?.takeUnretainedValue()
    self.owner = nil
    owner?.contextDidEnd(end)
  }
}
