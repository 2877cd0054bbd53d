/// The bytes that one client takes of `memory_limit`.
struct ClientMemory: Equatable {
  /// Commands that are not executed yet.
  var input = 0
  /// Room that was granted for the rest of a large command, and for its copy.
  var reserved = 0
  /// Commands that are queued in a transaction or are being executed.
  var held = 0
  /// Replies that the client has not taken.
  var output = 0

  var total: Int { input + reserved + held + output }
}
