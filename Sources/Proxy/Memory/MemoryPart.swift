/// A purpose of memory: the label `part`.
enum MemoryPart: String, CaseIterable {
  /// Commands of clients that are not executed yet.
  case input
  /// Room granted for large commands whose rest has not come yet, and for their copies.
  case reserved
  /// Commands in transactions, and those that are being executed.
  case held
  /// Replies that clients have not taken.
  case output
  /// Commands that wait to be sent to stores.
  case queued
}
