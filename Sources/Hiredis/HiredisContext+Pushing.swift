internal import CHiredis

/// Reading a connection on which the store speaks unasked.
///
/// hiredis' own dispatch expects a reply for each command, knows subscriptions only in part, and stops the process
/// when a server's words surprise it. So nothing of it is used here: the bytes go straight into the reader, and each
/// reply that comes out is handed on and freed.
extension HiredisContext {
  /// Reads once, and again while a large reply is under way; the loop calls again when there is more.
  func readPushes() {
    var reads = 0
    repeat {
      guard let context, !isAborted else { return }
      guard redisBufferRead(&context.pointee.c) == REDIS_OK else {
        let isEnd = context.pointee.c.err == REDIS_ERR_EOF
        return abort(reason: isEnd ? "the store closed the connection" : Self.connectionErrorText(context))
      }
      guard deliverPushes() else { return }
      reads += 1
    } while reads < Self.readsPerTurn && holdsUnfinishedReply
  }

  /// False when the context has ended meanwhile.
  private func deliverPushes() -> Bool {
    while let context, !isAborted {
      var object: UnsafeMutableRawPointer?
      guard redisReaderGetReply(context.pointee.c.reader, &object) == REDIS_OK else {
        abort(reason: Self.readerErrorText(context))
        return false
      }
      guard let object else { return true }
      owner?.contextDidReceivePush(UnsafePointer(object.assumingMemoryBound(to: redisReply.self)))
      // Whoever looked at it may have ended the context. The reply is a thing of its own.
      freeReplyObject(object)
    }
    return false
  }

  /// True when as much as one read can bring is there of a reply that is not complete.
  private var holdsUnfinishedReply: Bool {
    guard let reader = context?.pointee.c.reader else { return false }
    return reader.pointee.ridx >= 0 && reader.pointee.len - reader.pointee.pos >= Self.bytesPerRead
  }

  private static func connectionErrorText(_ context: UnsafeMutablePointer<redisAsyncContext>) -> String {
    withUnsafeBytes(of: &context.pointee.c.errstr) { text($0) }
  }

  private static func readerErrorText(_ context: UnsafeMutablePointer<redisAsyncContext>) -> String {
    guard let reader = context.pointee.c.reader else { return "out of memory" }
    return withUnsafeBytes(of: &reader.pointee.errstr) { text($0) }
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
