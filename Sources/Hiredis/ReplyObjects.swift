internal import CHiredis

/// The functions with which hiredis' reader builds replies.
///
/// A reply that is not an array is delivered right where the reader finds it, its bytes still in the reader's buffer,
/// and no object is made of it. Arrays and their elements are in the context's ``ReplyArena``: never pass one to
/// `freeReplyObject`. They have the layout of hiredis' own objects, without the zero byte behind a string. And hiredis
/// builds the same object for `$-1` and `*-1`, though clients can distinguish them (an aborted EXEC is a null array):
/// here a null array carries a mark.
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

  /// Made once for the process and never freed, as hiredis' own table is. Written only while it is made.
  nonisolated(unsafe) private static let table: UnsafeMutablePointer<redisReplyObjectFunctions> = {
    let table = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
    table.initialize(to: redisReplyObjectFunctions())
    table.pointee.createString = { task, bytes, count in
      guard let task else { return nil }
      return ReplyObjects.take(
        redisReply(type: task.pointee.type, integer: 0, len: count, str: bytes, elements: 0, element: nil),
        task
      )
    }
    table.pointee.createArray = { task, count in
      guard let task, let context = ReplyObjects.context(of: task) else { return nil }
      return context._withUnsafeGuaranteedRef { ReplyObjects.makeArray(of: Int(count), task, in: &$0.arena) }
    }
    table.pointee.createInteger = { task, value in
      guard let task else { return nil }
      return ReplyObjects.take(
        redisReply(type: REDIS_REPLY_INTEGER, integer: value, len: 0, str: nil, elements: 0, element: nil),
        task
      )
    }
    table.pointee.createNil = { task in
      guard let task else { return nil }
      let mark = task.pointee.type == REDIS_REPLY_ARRAY ? ReplyObjects.nullArrayMark : 0
      return ReplyObjects.take(
        redisReply(type: REDIS_REPLY_NIL, integer: mark, len: 0, str: nil, elements: 0, element: nil),
        task
      )
    }
    // The arena frees them all.
    table.pointee.freeObject = { _ in }
    return table
  }()

  /// The context that reads; it is alive.
  @inline(__always)
  private static func context(of task: UnsafePointer<redisReadTask>) -> Unmanaged<HiredisContext>? {
    task.pointee.privdata.map { Unmanaged.fromOpaque($0) }
  }

  /// Delivers a reply that is no array, or makes an object of it if it is an element of one.
  @inline(__always)
  private static func take(
    _ reply: redisReply,
    _ task: UnsafePointer<redisReadTask>
  ) -> UnsafeMutableRawPointer? {
    guard let context = context(of: task) else { return nil }
    return context._withUnsafeGuaranteedRef { context in
      guard task.pointee.parent == nil else { return makeElement(reply, task, in: &context.arena) }
      withUnsafePointer(to: reply) { context.deliver($0) }
      return delivered
    }
  }

  /// Makes an object with the bytes right behind it: those in the reader's buffer will move.
  @inline(__always)
  private static func makeElement(
    _ reply: redisReply,
    _ task: UnsafePointer<redisReadTask>,
    in arena: inout ReplyArena
  ) -> UnsafeMutableRawPointer? {
    guard let memory = arena.allocate(MemoryLayout<redisReply>.size + reply.len) else { return nil }
    let object = memory.bindMemory(to: redisReply.self, capacity: 1)
    object.initialize(to: reply)
    if let bytes = reply.str {
      let copy = memory + MemoryLayout<redisReply>.size
      copy.copyMemory(from: bytes, byteCount: reply.len)
      object.pointee.str = copy.assumingMemoryBound(to: CChar.self)
    }
    add(object, task)
    return memory
  }

  /// Makes an array. Its places are not initialized: each is filled before the array is delivered, and an incomplete
  /// array is never read. A store can announce two billion elements in a line.
  private static func makeArray(
    of count: Int,
    _ task: UnsafePointer<redisReadTask>,
    in arena: inout ReplyArena
  ) -> UnsafeMutableRawPointer? {
    guard let memory = arena.allocate(MemoryLayout<redisReply>.size),
      let places = arena.allocate(count * MemoryLayout<UnsafeMutablePointer<redisReply>?>.stride)
    else { return nil }
    let object = memory.bindMemory(to: redisReply.self, capacity: 1)
    let elements = places.bindMemory(to: UnsafeMutablePointer<redisReply>?.self, capacity: count)
    object.initialize(
      to: redisReply(type: REDIS_REPLY_ARRAY, integer: 0, len: 0, str: nil, elements: count, element: elements)
    )
    add(object, task)
    return memory
  }

  /// Puts an object in its place in the array that it is an element of, if there is one.
  @inline(__always)
  private static func add(_ object: UnsafeMutablePointer<redisReply>, _ task: UnsafePointer<redisReadTask>) {
    guard let array = task.pointee.parent?.pointee.obj?.assumingMemoryBound(to: redisReply.self) else { return }
    array.pointee.element[Int(task.pointee.idx)] = object
  }
}
