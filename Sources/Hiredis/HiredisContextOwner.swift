internal import CHiredis

/// Why a context has ended, in the terms of the bridge.
enum ContextEnd {
  /// The operating system, the store or hiredis ended it.
  case failed(String)
  /// A reply was nested deeper than hiredis can read.
  case replyTooDeep
  /// Ended from this side by `abort`.
  case aborted
}

/// Hears about one context. Called on the loop's thread.
protocol HiredisContextOwner: AnyObject {
  /// The socket is connected, and commands can be appended.
  func contextDidConnect()
  /// A reply to the oldest command that has none yet.
  func contextDidReceive(_ reply: UnsafePointer<redisReply>)
  /// Something that the store said on a context with `isPushing`.
  func contextDidReceivePush(_ reply: UnsafePointer<redisReply>)
  /// The next bytes that the store said on a context with `isRaw`.
  func contextDidReceiveRaw(_ bytes: Span<UInt8>)
  /// All bytes were taken by the operating system, so there is room for more.
  func contextDidDrain()
  /// The context is gone. Called once, unless the owner let go of it before. No reply will come any more.
  func contextDidEnd(_ end: ContextEnd)
}

/// A context could not be made.
struct ContextFailure: Error {
  var reason: String
}
