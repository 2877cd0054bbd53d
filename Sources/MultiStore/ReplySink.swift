public import RESP

/// Where the replies of an execution go: encoded as RESP2, in the order of the commands.
///
/// A class to derive from, not a protocol, so that the hot path writes into `output` without a dynamic call. Confined
/// to the loop of the instance.
open class ReplySink {
  /// Replies that were not taken out yet.
  public final var output = ByteBuffer()

  /// A sink with nothing in it.
  public init() {}

  /// All replies of one execution are in ``output``.
  open func executionDidFinish() {}

  /// A change of the flags that had to wait is in force: ``MultiStore/routing(orNotify:)`` has an answer again. Never
  /// called before that call returns.
  open func routingDidSettle() {}
}
