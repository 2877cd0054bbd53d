internal import Glibc

/// Ciphertext on its way to the peer: appended by GnuTLS, removed from the front as the socket takes it.
struct CiphertextBuffer: ~Copyable {
  /// The memory that an empty buffer keeps: the records of an ordinary turn fit, and an idle connection has little.
  private static let keptBytes = 4 * 1024
  private static let smallestCapacity = 1024

  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0
  private var start = 0
  private var end = 0

  deinit {
    free(memory)
  }

  /// The number of bytes that wait.
  var count: Int { end - start }

  /// Appends bytes that are valid during the call.
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
    if capacity - end < bytes.count { makeRoom(for: bytes.count) }
    (memory! + end).copyMemory(from: source, byteCount: bytes.count)
    end += bytes.count
  }

  /// Calls `body` with all bytes that wait, in one piece.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    body(UnsafeRawBufferPointer(start: memory.map { UnsafeRawPointer($0 + start) }, count: count))
  }

  /// Removes the first bytes.
  mutating func removeFirst(_ bytes: Int) {
    precondition(bytes <= count, "more ciphertext was removed than there is")
    start += bytes
    guard start == end else { return }
    start = 0
    end = 0
    guard capacity > Self.keptBytes else { return }
    free(memory)
    memory = nil
    capacity = 0
  }

  private mutating func makeRoom(for bytes: Int) {
    if start > 0, let memory {
      memory.copyMemory(from: memory + start, byteCount: count)
      end -= start
      start = 0
      if capacity - end >= bytes { return }
    }
    capacity = max(Self.smallestCapacity, 2 * capacity, end + bytes)
    memory = realloc(memory, capacity)
    precondition(memory != nil, "out of memory for ciphertext")
  }
}
