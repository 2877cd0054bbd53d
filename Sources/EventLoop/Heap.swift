internal import CUV

/// The process' heap. Any thread.
public enum Heap {
  /// Returns free memory to the operating system: malloc keeps pages that small allocations have split, however many
  /// they are. It takes some milliseconds after a large peak, during which other threads may wait for memory.
  public static func giveBackFreeMemory() {
    multistore_trim_heap()
  }
}
