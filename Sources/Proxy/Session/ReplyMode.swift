/// The replies that a client wants, as set by CLIENT REPLY.
enum ReplyMode {
  /// All.
  case on
  /// None.
  case off
  /// All but that to the next command.
  case skipNext
  /// All but that to the command in flight; no other command is executed meanwhile.
  case skipping
}
