internal import CUV

/// The process' heap. Allowed on any thread.
public enum Heap {
  /// Gives memory that is free back to the operating system: malloc keeps what small allocations have split, however
  /// much it is. Takes some milliseconds after a large peak, in which other threads may wait for memory.
  public static func giveBackFreeMemory() {
    multistore_trim_heap()
  }
}
