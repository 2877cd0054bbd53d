/// Names one line of the command table: its index there, so that a per-command array needs no hashing.
///
/// The numbers are stable within a process and mean nothing outside of it.
public struct CommandID: Hashable, Sendable {
  /// The index into `CommandTable.all`.
  public let rawValue: UInt16

  init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// What no server knows: every name that a client makes up shares this line and its label.
  public static let other = CommandID(rawValue: 0)
}

// The commands that the code elsewhere names, because it does something particular for each of them.
extension CommandID {
  /// AUTH.
  public static let auth = CommandTable.id(ofKnown: "auth")
  /// CLIENT, asked with a subcommand that no server knows or with none.
  public static let client = CommandTable.id(ofKnown: "client")
  /// CLIENT GETNAME.
  public static let clientGetName = CommandTable.id(ofKnown: "client", subcommand: "getname")
  /// CLIENT ID.
  public static let clientID = CommandTable.id(ofKnown: "client", subcommand: "id")
  /// CLIENT INFO.
  public static let clientInfo = CommandTable.id(ofKnown: "client", subcommand: "info")
  /// CLIENT SETINFO.
  public static let clientSetInfo = CommandTable.id(ofKnown: "client", subcommand: "setinfo")
  /// CLIENT SETNAME.
  public static let clientSetName = CommandTable.id(ofKnown: "client", subcommand: "setname")
  /// DISCARD.
  public static let discard = CommandTable.id(ofKnown: "discard")
  /// ECHO.
  public static let echo = CommandTable.id(ofKnown: "echo")
  /// EXEC.
  public static let exec = CommandTable.id(ofKnown: "exec")
  /// GET.
  public static let get = CommandTable.id(ofKnown: "get")
  /// HELLO.
  public static let hello = CommandTable.id(ofKnown: "hello")
  /// HMGET.
  public static let hmget = CommandTable.id(ofKnown: "hmget")
  /// INFO.
  public static let info = CommandTable.id(ofKnown: "info")
  /// MGET.
  public static let mget = CommandTable.id(ofKnown: "mget")
  /// MULTI.
  public static let multi = CommandTable.id(ofKnown: "multi")
  /// PING.
  public static let ping = CommandTable.id(ofKnown: "ping")
  /// QUIT.
  public static let quit = CommandTable.id(ofKnown: "quit")
  /// RESET.
  public static let reset = CommandTable.id(ofKnown: "reset")
  /// SELECT.
  public static let select = CommandTable.id(ofKnown: "select")
  /// SET.
  public static let set = CommandTable.id(ofKnown: "set")
  /// UNWATCH.
  public static let unwatch = CommandTable.id(ofKnown: "unwatch")
  /// WATCH.
  public static let watch = CommandTable.id(ofKnown: "watch")
}
