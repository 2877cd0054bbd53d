internal import Glibc

/// Memory for the objects of one array reply, which are all freed at once when it has been received.
///
/// One block is kept for the next reply, as large as the last one needed, up to a bound: connections that get arrays
/// again and again allocate nothing.
struct ReplyArena: ~Copyable {
  /// The size of the first block, in bytes; each further one of the same reply is twice as large. An object that is as
  /// large as the next block has one of its own.
  private static let firstBlockBytes = 1 << 10
  /// The size at which blocks stop growing, in bytes.
  private static let mostBlockBytes = 256 << 10
  /// The largest block that is kept, in bytes.
  static let mostKeptBytes = 64 << 10
  /// The alignment of objects, which is enough for pointers and numbers.
  private static let alignment = 8

  /// The last block; each one begins with the address of the one before.
  private var last: UnsafeMutableRawPointer?
  /// The usable bytes of the last block, and those of all.
  private var (lastBytes, allBytes) = (0, 0)
  /// The memory of the last block that is not given out.
  private var free = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var nextBlockBytes = firstBlockBytes

  deinit { Self.release(last) }

  /// The bytes of all blocks, whether given out or not.
  var capacity: Int { allBytes }

  /// Returns uninitialized memory of `count` bytes; nil if there is none.
  @inline(__always)
  mutating func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
    let size = (count + Self.alignment - 1) & ~(Self.alignment - 1)
    guard size <= free.count, let start = free.baseAddress else { return allocateBlock(for: size) }
    free = UnsafeMutableRawBufferPointer(rebasing: free[size...])
    return start
  }

  /// Takes back everything that was given out.
  @inline(__always)
  mutating func removeAll() {
    guard let last else { return }
    guard allBytes == lastBytes, allBytes <= Self.mostKeptBytes else { return releaseBlocks() }
    free = UnsafeMutableRawBufferPointer(start: last + Self.alignment, count: lastBytes)
  }

  /// Adds a block, and returns its first `size` bytes.
  private mutating func allocateBlock(for size: Int) -> UnsafeMutableRawPointer? {
    let isOwn = size >= nextBlockBytes
    let bytes = isOwn ? size : nextBlockBytes
    guard let block = malloc(Self.alignment + bytes) else { return nil }
    block.storeBytes(of: last, as: UnsafeMutableRawPointer?.self)
    last = block
    lastBytes = bytes
    allBytes += bytes
    let start = block + Self.alignment
    free = UnsafeMutableRawBufferPointer(start: start + size, count: bytes - size)
    if !isOwn { nextBlockBytes = min(nextBlockBytes * 2, Self.mostBlockBytes) }
    return start
  }

  /// Frees the blocks of a reply that needed several, or a large one. The next reply gets one of that size.
  private mutating func releaseBlocks() {
    Self.release(last)
    last = nil
    free = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    nextBlockBytes = min(allBytes, Self.mostKeptBytes)
    (lastBytes, allBytes) = (0, 0)
  }

  private static func release(_ last: UnsafeMutableRawPointer?) {
    var block = last
    while let current = block {
      block = current.load(as: UnsafeMutableRawPointer?.self)
      Glibc.free(current)
    }
  }
}
