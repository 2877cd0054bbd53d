/// The form of a RESP3 reply where it differs from the RESP2 reply to the same command.
public enum ReplyShape: UInt8, CaseIterable, Sendable {
  /// Nulls alone differ, wherever they are in the reply.
  case plain
}

extension CommandSpec {
  /// The shape of the reply to `command`, its whole bytes. Allocates nothing.
  @inline(__always)
  public func replyShape(of command: Span<UInt8>) -> ReplyShape {
    .plain
  }
}
