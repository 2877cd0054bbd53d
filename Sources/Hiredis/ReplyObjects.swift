internal import CHiredis
internal import Glibc

/// The functions that hiredis' reader builds replies with.
///
/// They are hiredis' own but for the null reply: hiredis builds the same object for `$-1` and `*-1`, though clients
/// can tell them apart (an aborted EXEC is a null array). Here a null array carries a mark.
enum ReplyObjects {
  /// What the `integer` of a null array's reply is; hiredis leaves 0 there.
  static let nullArrayMark: Int64 = -1

  /// Makes `reader` build its replies with these functions. To be called before it has read anything.
  static func install(in reader: UnsafeMutablePointer<redisReader>) {
    reader.pointee.fn = table
  }

  /// Made once for the process and never freed, as hiredis' own table is. Written only while it is made.
  nonisolated(unsafe) private static let table: UnsafeMutablePointer<redisReplyObjectFunctions> = {
    guard let reader = redisReaderCreate() else { fatalError("out of memory for a reply reader") }
    defer { redisReaderFree(reader) }
    let table = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
    table.initialize(to: reader.pointee.fn.pointee)
    table.pointee.createNil = { task in
      guard let task, let memory = calloc(1, MemoryLayout<redisReply>.size) else { return nil }
      let reply = memory.bindMemory(to: redisReply.self, capacity: 1)
      reply.pointee.type = REDIS_REPLY_NIL
      if task.pointee.type == REDIS_REPLY_ARRAY { reply.pointee.integer = ReplyObjects.nullArrayMark }
      if let parent = task.pointee.parent?.pointee.obj?.assumingMemoryBound(to: redisReply.self) {
        parent.pointee.element[Int(task.pointee.idx)] = reply
      }
      return memory
    }
    return table
  }()
}
