internal import CUV
internal import Glibc

/// Bytes to be written to a socket. The memory does not move between appends, so that C can read it; its owner frees
/// it.
struct WriteBuffer {
  /// The capacity that is kept for reuse; more would stay allocated for every client that was slow once.
  private static let keptCapacity = 64 * 1024

  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0
  private(set) var count = 0

  /// The appended bytes.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

  /// Copies `span` to the end.
  mutating func append(_ span: Span<UInt8>) {
    let needed = count + span.count
    if needed > capacity {
      let size = max(needed, capacity * 2, 4096)
      guard let grown = realloc(memory, size) else { fatalError("out of memory for \(size) bytes to be written") }
      memory = grown
      capacity = size
    }
    guard let memory else { return }
    span.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(start: memory + count, count: span.count).copyMemory(from: source)
    }
    count = needed
  }

  /// Drops the bytes.
  mutating func removeAll() {
    if capacity > Self.keptCapacity { free() }
    count = 0
  }

  /// Drops the bytes and frees the memory.
  mutating func free() {
    Glibc.free(memory)
    memory = nil
    capacity = 0
    count = 0
  }
}
