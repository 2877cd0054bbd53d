/// The bytes of a stream that the socket has not taken: those that libuv is writing, whose memory must not move
/// meanwhile, and those that came after them. Its owner frees it.
struct WriteQueue {
  private var writing = WriteBuffer()
  private var waiting = WriteBuffer()
  /// Whether libuv is writing.
  private(set) var isWriting = false

  /// The number of bytes that libuv has not been given yet.
  var waitingCount: Int { waiting.count }

  /// Copies the three spans, without the first `count` bytes of them all, to the end.
  mutating func append(_ bytes: Span<UInt8>, _ more: Span<UInt8>, _ last: Span<UInt8>, skipping count: Int) {
    var skipped = count
    for index in 0..<3 {
      let part = index == 0 ? bytes : index == 1 ? more : last
      let done = min(skipped, part.count)
      skipped -= done
      waiting.append(part.extracting(done...))
    }
  }

  /// Returns the waiting bytes for libuv to write. They stay where they are until ``endWriting()``.
  mutating func beginWriting() -> UnsafeRawBufferPointer {
    swap(&writing, &waiting)
    isWriting = true
    return writing.bytes
  }

  /// Drops the bytes that libuv was given.
  mutating func endWriting() {
    isWriting = false
    writing.removeAll()
  }

  /// Drops all bytes and frees the memory.
  mutating func free() {
    writing.free()
    waiting.free()
  }
}
