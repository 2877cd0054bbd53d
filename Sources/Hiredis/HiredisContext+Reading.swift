internal import CHiredis
internal import EventLoop
internal import Glibc
internal import RESP

/// Reading: the socket's bytes are fed to hiredis' reader, and the replies are delivered to the owner.
extension HiredisContext {
  /// The bytes that are fed to the reader at once. Whenever it has consumed 1 KiB, it moves all that it holds to the
  /// front: with 64 KiB, that would move thirty times as many bytes.
  private static let feedBytes = 4 * 1024
  /// The bytes in the reader from which on the rest of an incomplete string is read directly into the reader's memory.
  private static let largeReplyBytes = 64 * 1024
  /// The most bytes of such a string that are read at once.
  private static let directReadBytes = 256 * 1024
  /// The most bytes of a line, such as an error. The reader looks through all of a line that has no end whenever it
  /// gets more of it, which for a hundred megabytes would take the loop minutes.
  private static let longestLine = 1 << 20
  /// The number of digits that a length may have, and the end of the line.
  private static let longestLength = 21
  /// The most reads of one context before the others on the loop have their turn.
  private static let readsPerTurn = 4
  /// The most reads that get the remaining data of a broken connection from its buffers.
  private static let readsAfterFailure = 256

  /// Reads the available bytes without waiting for the loop's event.
  func readNow() {
    read()
  }

  /// Delivers a reply that is not part of another. It is gone when this returns.
  @inline(__always)
  func deliver(_ reply: UnsafePointer<redisReply>) {
    guard pendingEnd == nil, let owner else { return }
    unfinishedBytes = 0
    // `read` keeps it alive.
    owner._withUnsafeGuaranteedRef { $0.contextDidReceive(reply) }
  }

  /// Reads the available bytes, up to a limit, and delivers the replies.
  func read() {
    // A reply's receiver may release the owner. This object is kept by the caller.
    guard let owner = owner?.takeUnretainedValue() else { return }
    defer { withExtendedLifetime(owner) {} }
    var reads = 0
    while reads < Self.readsPerTurn, let context, pendingEnd == nil, readOnce(context, owner) { reads += 1 }
  }

  /// Reads once, and delivers complete replies; returns false if no more bytes are available.
  private func readOnce(_ context: UnsafeMutablePointer<redisContext>, _ owner: HiredisConnection) -> Bool {
    guard let reader = context.pointee.reader else { return false }
    if let tls { return readSecured(tls, context, owner) }
    let missing = isRaw ? 0 : Self.missingBytes(of: reader)
    guard missing == 0 else {
      let room = min(missing, Self.directReadBytes)
      let count = Self.receive(room, from: context.pointee.fd, into: reader)
      return hasRead(count, of: room) { _ in deliverReplies(of: reader) }
    }
    let buffer = loop.readBuffer
    let count = recv(context.pointee.fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
    return hasRead(count, of: buffer.count) { count in
      deliver(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: reader, owner)
    }
  }

  /// Delivers bytes as they are, or the replies that are complete with them.
  @inline(__always)
  func deliver(
    _ bytes: UnsafeRawBufferPointer,
    to reader: UnsafeMutablePointer<redisReader>,
    _ owner: HiredisConnection
  ) {
    if isRaw {
      owner.contextDidReceiveRaw(bytes.assumingMemoryBound(to: UInt8.self).span)
    } else {
      feed(bytes, to: reader)
    }
  }

  /// Delivers the bytes that were read with `deliver`, if there are any; returns false if no more are available. Called
  /// right after `recv`, with its result.
  @inline(__always)
  func hasRead(_ count: Int, of room: Int, _ deliver: (Int) -> Void) -> Bool {
    guard count > 0 else {
      stopReading(count, errno)
      return false
    }
    isDelivering = true
    if let replyLimit { countUnfinished(count, limit: replyLimit) }
    deliver(count)
    didDeliver()
    return count == room
  }

  private func countUnfinished(_ count: Int, limit: Int) {
    unfinishedBytes += count
    if unfinishedBytes > limit { pendingEnd = .protocolViolated("a reply is larger than \(limit) bytes") }
  }

  private func stopReading(_ count: Int, _ error: Int32) {
    if count == 0 { return end(tls?.socketDidEnd() ?? .storeClosed) }
    if error != EAGAIN, error != EINTR { end(.failed(Self.text(error))) }
  }

  /// The missing part, in bytes, of a large string of which the reader has the beginning; 0 if there is none. The
  /// reader stays at the string's length until it has all of it.
  private static func missingBytes(of reader: UnsafeMutablePointer<redisReader>) -> Int {
    let buffered = reader.pointee.len - reader.pointee.pos
    guard buffered >= largeReplyBytes, let start = reader.pointee.buf else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: start + reader.pointee.pos, count: buffered)
    guard let lineEnd = bytes.prefix(longestLength).firstIndex(of: UInt8(ascii: "\r")),
      let length = Int(String(decoding: bytes[..<lineEnd], as: UTF8.self))
    else { return 0 }
    // A length that no memory can hold is left to the reader.
    return max(0, lineEnd + 2 + min(length, Int.max / 2) + 2 - buffered)
  }

  /// Whether the reader waits for the end of a line that is too long to be one.
  @inline(__always)
  private static func hasEndlessLine(_ reader: UnsafeMutablePointer<redisReader>) -> Bool {
    reader.pointee.len - reader.pointee.pos > longestLine && missingBytes(of: reader) == 0
  }

  /// Reads up to `count` bytes of the string in the reader's buffer; returns the result of `recv`.
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

  /// Feeds `bytes` to the reader, and delivers the replies that are complete. They lie in the loop's buffer, which is
  /// used for the next socket that is read: a reply's receiver reads none.
  private func feed(_ bytes: UnsafeRawBufferPointer, to reader: UnsafeMutablePointer<redisReader>) {
    var fed = 0
    while fed < bytes.count, pendingEnd == nil {
      let piece = UnsafeRawBufferPointer(rebasing: bytes[fed..<min(bytes.count, fed + Self.feedBytes)])
      redisReaderFeed(reader, piece.baseAddress?.assumingMemoryBound(to: CChar.self), piece.count)
      fed += piece.count
      deliverReplies(of: reader)
    }
  }

  /// Delivers all replies that are complete.
  private func deliverReplies(of reader: UnsafeMutablePointer<redisReader>) {
    while pendingEnd == nil {
      var object: UnsafeMutableRawPointer?
      guard redisReaderGetReply(reader, &object) == REDIS_OK else {
        pendingEnd = Self.end(of: reader)
        break
      }
      guard let object else {
        if Self.hasEndlessLine(reader) { pendingEnd = .protocolViolated("a line of a reply has no end") }
        break
      }
      guard !ReplyObjects.wasDelivered(object) else { continue }
      deliver(UnsafePointer(object.assumingMemoryBound(to: redisReply.self)))
      arena.removeAll()
    }
  }

  private func didDeliver() {
    owner?._withUnsafeGuaranteedRef { $0.contextDidRead() }
    isDelivering = false
    guard let pendingEnd else { return }
    self.pendingEnd = nil
    end(pendingEnd)
  }

  /// Returns the reason for which the reader failed.
  private static func end(of reader: UnsafeMutablePointer<redisReader>) -> ContextEnd {
    let reason = withUnsafeBytes(of: &reader.pointee.errstr) { text($0) }
    // The reader's text is the only trace of the cause.
    return reason.hasPrefix("No support for nested multi bulk") ? .replyTooDeep : .protocolViolated(reason)
  }

  /// Delivers the replies that came before the connection broke. The descriptor is not watched any more.
  func readRest() {
    var reads = 0
    while context != nil, reads < Self.readsAfterFailure {
      read()
      reads += 1
    }
    end(.failed("the connection failed"))
  }
}
