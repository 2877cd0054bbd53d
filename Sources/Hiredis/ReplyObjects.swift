internal import CHiredis
internal import Glibc

/// The functions with which hiredis' reader builds replies.
///
/// A reply that is not an array is delivered right where the reader finds it, its bytes still in the reader's buffer,
/// and no object is made of it. Arrays and their elements are hiredis' own objects, except for the null reply: hiredis
/// builds the same object for `$-1` and `*-1`, though clients can distinguish them (an aborted EXEC is a null array).
/// Here a null array carries a mark.
enum ReplyObjects {
  /// The `integer` of a null array's reply; hiredis leaves 0 there.
  static let nullArrayMark: Int64 = -1

  /// Makes `reader` build its replies with these functions, and deliver them to `context`, which outlives it. Called
  /// before it has read anything.
  static func install(in reader: UnsafeMutablePointer<redisReader>, for context: HiredisContext) {
    reader.pointee.fn = table
    reader.pointee.privdata = Unmanaged.passUnretained(context).toOpaque()
  }

  /// Whether the reader has returned `object` in place of a reply that was delivered already.
  @inline(__always)
  static func wasDelivered(_ object: UnsafeMutableRawPointer) -> Bool { object == delivered }

  /// An address that no object has. A constant, since it is compared for every reply.
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

  /// Reduces an incomplete array to the elements that have arrived: hiredis visits each of them to free it, and a store
  /// can announce two billion in a line.
  private static func forgetMissingElements(of reply: UnsafeMutablePointer<redisReply>) {
    guard reply.pointee.type == REDIS_REPLY_ARRAY, let elements = reply.pointee.element else { return }
    var count = 0
    while count < reply.pointee.elements, elements[count] != nil { count += 1 }
    reply.pointee.elements = count
    // Only the last element can be an incomplete array.
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
