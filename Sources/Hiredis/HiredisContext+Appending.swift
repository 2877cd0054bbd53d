internal import CHiredis

/// How a command's bytes are given to hiredis, which trusts them more than it should.
extension HiredisContext {
  /// hiredis looks for the first argument without minding the end of the command, so it has to be there.
  static func looksLikeCommand(_ command: Span<UInt8>) -> Bool {
    guard command.count >= 10, command[0] == UInt8(ascii: "*") else { return false }
    for index in 2..<min(command.count, 24) where command[index] == UInt8(ascii: "$") {
      return command[index - 1] == UInt8(ascii: "\n")
    }
    return false
  }

  static func append(_ command: UnsafeRawBufferPointer, to context: UnsafeMutablePointer<redisAsyncContext>)
    -> Int32
  {
    guard let start = command.baseAddress else { return REDIS_ERR }
    // hiredis looks at the byte after a command that has only one argument. Where that byte may be on a page that
    // does not exist, the command is copied.
    guard UInt(bitPattern: start + command.count) & 0xfff == 0 else {
      return append(start, command.count, to: context)
    }
    return withUnsafeTemporaryAllocation(byteCount: command.count + 1, alignment: 1) { copy in
      guard let start = copy.baseAddress else { return REDIS_ERR }
      copy.copyMemory(from: command)
      copy[command.count] = 0
      return append(start, command.count, to: context)
    }
  }

  private static func append(
    _ start: UnsafeRawPointer,
    _ count: Int,
    to context: UnsafeMutablePointer<redisAsyncContext>
  ) -> Int32 {
    redisAsyncFormattedCommand(
      context,
      { context, reply, _ in
        // Without a reply the context is being freed, and the cleanup hook tells of that.
        guard let context, let reply else { return }
        HiredisContext.of(context)?.didReceive(UnsafePointer(reply.assumingMemoryBound(to: redisReply.self)))
      },
      nil,
      start.assumingMemoryBound(to: CChar.self),
      count
    )
  }
}
