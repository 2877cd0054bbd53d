import Glibc

/// Bytes that end where a page ends, with a page after it that can't be read.
final class GuardedBytes {
  let bytes: UnsafeBufferPointer<UInt8>
  private let memory: UnsafeMutableRawPointer
  private let pageSize = Int(getpagesize())

  init(_ content: [UInt8]) throws {
    guard let memory = mmap(nil, 2 * pageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      memory != MAP_FAILED
    else { throw MapFailure(code: errno) }
    self.memory = memory
    mprotect(memory + pageSize, pageSize, PROT_NONE)
    let start = memory + pageSize - content.count
    content.withUnsafeBytes { start.copyMemory(from: $0.baseAddress!, byteCount: content.count) }
    bytes = UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: content.count)
  }

  deinit {
    munmap(memory, 2 * pageSize)
  }
}

struct MapFailure: Error {
  var code: Int32
}
