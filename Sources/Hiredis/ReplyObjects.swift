internal import CHiredis
internal import Glibc

/// The functions that hiredis' reader builds replies with.
///
/// A reply that is no array is handed on right where the reader finds it, its bytes still in the reader's buffer, and
/// no object is made of it. Arrays are hiredis' own objects, and so is what is in them, but for the null reply:
/// hiredis builds the same object for `$-1` and `*-1`, though clients can tell them apart (an aborted EXEC is a null
/// array). Here a null array carries a mark.
enum ReplyObjects {
  /// What the `integer` of a null array's reply is; hiredis leaves 0 there.
  static let nullArrayMark: Int64 = -1

  /// Makes `reader` build its replies with these functions, and hand them to `context`, which outlives it. To be called
  /// before it has read anything.
  static func install(in reader: UnsafeMutablePointer<redisReader>, for context: HiredisContext) {
    reader.pointee.fn = table
    reader.pointee.privdata = Unmanaged.passUnretained(context).toOpaque()
  }

  /// True for what the reader returns in place of a reply that was handed on already.
  @inline(__always)
  static func wasDelivered(_ object: UnsafeMutableRawPointer) -> Bool { object == delivered }

  /// An address that no object has. A constant, since it is asked for with every reply.
  @inline(__always)
  private static var delivered: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

  /// hiredis' own functions, copied once for the process.
  private static let hiredis: redisReplyObjectFunctions = {
    guard let reader = redisReaderCreate() else { fatalError("out of memory for a reply reader") }
    defer { redisReaderFree(reader) }
    return reader.pointee.fn.pointee
  }()

  /// Made once for the process and never freed, as hiredis' own table is. Written only while it is made.
  nonisolated(unsafe) private static let table: UnsafeMutablePointer<redisReplyObjectFunctions> = {
    let table = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
    table.initialize(to: hiredis)
    table.pointee.createString = { task, bytes, count in
      guard let task else { return nil }
      guard task.pointee.parent == nil else { return ReplyObjects.hiredis.createString(task, bytes, count) }
      return ReplyObjects.deliver(
        redisReply(type: task.pointee.type, integer: 0, len: count, str: bytes, elements: 0, element: nil),
        task
      )
    }
    table.pointee.createInteger = { task, value in
      guard let task else { return nil }
      guard task.pointee.parent == nil else { return ReplyObjects.hiredis.createInteger(task, value) }
      return ReplyObjects.deliver(
        redisReply(type: REDIS_REPLY_INTEGER, integer: value, len: 0, str: nil, elements: 0, element: nil),
        task
      )
    }
    table.pointee.createNil = { task in
      guard let task else { return nil }
      let mark = task.pointee.type == REDIS_REPLY_ARRAY ? ReplyObjects.nullArrayMark : 0
      guard task.pointee.parent == nil else {
        let object = ReplyObjects.hiredis.createNil(task)
        object?.assumingMemoryBound(to: redisReply.self).pointee.integer = mark
        return object
      }
      return ReplyObjects.deliver(
        redisReply(type: REDIS_REPLY_NIL, integer: mark, len: 0, str: nil, elements: 0, element: nil),
        task
      )
    }
    table.pointee.freeObject = { object in
      guard let object, !ReplyObjects.wasDelivered(object) else { return }
      ReplyObjects.forgetMissingElements(of: object.assumingMemoryBound(to: redisReply.self))
      freeReplyObject(object)
    }
    return table
  }()

  /// Lets an array that has not come whole have no more elements than have come: hiredis looks at each of them to free
  /// it, and a store can announce two billion in a line.
  private static func forgetMissingElements(of reply: UnsafeMutablePointer<redisReply>) {
    guard reply.pointee.type == REDIS_REPLY_ARRAY, let elements = reply.pointee.element else { return }
    var count = 0
    while count < reply.pointee.elements, elements[count] != nil { count += 1 }
    reply.pointee.elements = count
    // Only the last element can be an array that has not come whole.
    if count > 0, let last = elements[count - 1] { forgetMissingElements(of: last) }
  }

  private static func deliver(
    _ reply: redisReply,
    _ task: UnsafePointer<redisReadTask>
  ) -> UnsafeMutableRawPointer? {
    guard let context = task.pointee.privdata else { return nil }
    withUnsafePointer(to: reply) { reply in
      // It is reading, so it is alive.
      Unmanaged<HiredisContext>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.deliver(reply) }
    }
    return delivered
  }
}
