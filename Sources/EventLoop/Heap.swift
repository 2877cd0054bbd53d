internal import CUV

/// The process' heap. Any thread.
public enum Heap {
  /// Blocks of this size get pages of their own. Smaller ones are too frequent for that: new pages have to be filled
  /// with zeros.
  private static let largeBlockBytes: Int32 = 256 << 10

  /// Makes malloc return large blocks to the operating system when they are freed. A buffer that grows is copied to
  /// larger ones, and those before it would stay as holes in the heap, which no limit on stored bytes could bound. Call
  /// it once, at the start.
  public static func separateLargeBlocks() {
    multistore_separate_large_blocks(largeBlockBytes)
  }

  /// Returns free memory to the operating system: malloc keeps pages that small allocations have split, however many
  /// they are. It takes some milliseconds after a large peak, during which other threads may wait for memory.
  public static func giveBackFreeMemory() {
    multistore_trim_heap()
  }
}
