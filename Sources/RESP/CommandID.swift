/// The identity of a line of the command table: its index there, so that a per-command array needs no hashing.
///
/// The numbers are stable within a process and mean nothing outside of it.
public struct CommandID: Hashable, Sendable {
  /// The index into `CommandTable.all`.
  public let rawValue: UInt16

  init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// The line of all commands that no server knows: any name that a client makes up shares it and its label.
  public static let other = CommandID(rawValue: 0)
}

// The commands that other code refers to, because it handles each of them specially.
extension CommandID {
  /// AUTH.
  public static let auth = CommandTable.id(ofKnown: "auth")
  /// BITFIELD.
  public static let bitfield = CommandTable.id(ofKnown: "bitfield")
  /// CLIENT with a subcommand that no server knows, or with none.
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
  /// CLIENT CACHING.
  public static let clientCaching = CommandTable.id(ofKnown: "client", subcommand: "caching")
  /// CLIENT CAPA.
  public static let clientCapa = CommandTable.id(ofKnown: "client", subcommand: "capa")
  /// CLIENT GETREDIR.
  public static let clientGetRedir = CommandTable.id(ofKnown: "client", subcommand: "getredir")
  /// CLIENT HELP.
  public static let clientHelp = CommandTable.id(ofKnown: "client", subcommand: "help")
  /// CLIENT KILL.
  public static let clientKill = CommandTable.id(ofKnown: "client", subcommand: "kill")
  /// CLIENT LIST.
  public static let clientList = CommandTable.id(ofKnown: "client", subcommand: "list")
  /// CLIENT NO-EVICT.
  public static let clientNoEvict = CommandTable.id(ofKnown: "client", subcommand: "no-evict")
  /// CLIENT NO-TOUCH.
  public static let clientNoTouch = CommandTable.id(ofKnown: "client", subcommand: "no-touch")
  /// CLIENT PAUSE.
  public static let clientPause = CommandTable.id(ofKnown: "client", subcommand: "pause")
  /// CLIENT REPLY.
  public static let clientReply = CommandTable.id(ofKnown: "client", subcommand: "reply")
  /// CLIENT TRACKING.
  public static let clientTracking = CommandTable.id(ofKnown: "client", subcommand: "tracking")
  /// CLIENT TRACKINGINFO.
  public static let clientTrackingInfo = CommandTable.id(ofKnown: "client", subcommand: "trackinginfo")
  /// CLIENT UNBLOCK.
  public static let clientUnblock = CommandTable.id(ofKnown: "client", subcommand: "unblock")
  /// CLIENT UNPAUSE.
  public static let clientUnpause = CommandTable.id(ofKnown: "client", subcommand: "unpause")
  /// DEBUG.
  public static let debug = CommandTable.id(ofKnown: "debug")
  /// DECR.
  public static let decr = CommandTable.id(ofKnown: "decr")
  /// DECRBY.
  public static let decrby = CommandTable.id(ofKnown: "decrby")
  /// DISCARD.
  public static let discard = CommandTable.id(ofKnown: "discard")
  /// ECHO.
  public static let echo = CommandTable.id(ofKnown: "echo")
  /// EVAL.
  public static let eval = CommandTable.id(ofKnown: "eval")
  /// EVAL_RO.
  public static let evalReadOnly = CommandTable.id(ofKnown: "eval_ro")
  /// EVALSHA.
  public static let evalSHA = CommandTable.id(ofKnown: "evalsha")
  /// EXEC.
  public static let exec = CommandTable.id(ofKnown: "exec")
  /// FLUSHALL.
  public static let flushAll = CommandTable.id(ofKnown: "flushall")
  /// FCALL.
  public static let functionCall = CommandTable.id(ofKnown: "fcall")
  /// FUNCTION DELETE.
  public static let functionDelete = CommandTable.id(ofKnown: "function", subcommand: "delete")
  /// FUNCTION FLUSH.
  public static let functionFlush = CommandTable.id(ofKnown: "function", subcommand: "flush")
  /// FUNCTION LOAD.
  public static let functionLoad = CommandTable.id(ofKnown: "function", subcommand: "load")
  /// FUNCTION RESTORE.
  public static let functionRestore = CommandTable.id(ofKnown: "function", subcommand: "restore")
  /// GET.
  public static let get = CommandTable.id(ofKnown: "get")
  /// GETDEL.
  public static let getdel = CommandTable.id(ofKnown: "getdel")
  /// GETSET.
  public static let getset = CommandTable.id(ofKnown: "getset")
  /// HELLO.
  public static let hello = CommandTable.id(ofKnown: "hello")
  /// HINCRBY.
  public static let hincrby = CommandTable.id(ofKnown: "hincrby")
  /// HMGET.
  public static let hmget = CommandTable.id(ofKnown: "hmget")
  /// INCR.
  public static let incr = CommandTable.id(ofKnown: "incr")
  /// INCRBY.
  public static let incrby = CommandTable.id(ofKnown: "incrby")
  /// INFO.
  public static let info = CommandTable.id(ofKnown: "info")
  /// MGET.
  public static let mget = CommandTable.id(ofKnown: "mget")
  /// MIGRATE.
  public static let migrate = CommandTable.id(ofKnown: "migrate")
  /// MONITOR.
  public static let monitor = CommandTable.id(ofKnown: "monitor")
  /// MULTI.
  public static let multi = CommandTable.id(ofKnown: "multi")
  /// PING.
  public static let ping = CommandTable.id(ofKnown: "ping")
  /// PUBLISH.
  public static let publish = CommandTable.id(ofKnown: "publish")
  /// PUNSUBSCRIBE.
  public static let punsubscribe = CommandTable.id(ofKnown: "punsubscribe")
  /// QUIT.
  public static let quit = CommandTable.id(ofKnown: "quit")
  /// RESET.
  public static let reset = CommandTable.id(ofKnown: "reset")
  /// SCRIPT FLUSH.
  public static let scriptFlush = CommandTable.id(ofKnown: "script", subcommand: "flush")
  /// SCRIPT LOAD.
  public static let scriptLoad = CommandTable.id(ofKnown: "script", subcommand: "load")
  /// SELECT.
  public static let select = CommandTable.id(ofKnown: "select")
  /// SET.
  public static let set = CommandTable.id(ofKnown: "set")
  /// SPUBLISH.
  public static let spublish = CommandTable.id(ofKnown: "spublish")
  /// SUNSUBSCRIBE.
  public static let sunsubscribe = CommandTable.id(ofKnown: "sunsubscribe")
  /// UNSUBSCRIBE.
  public static let unsubscribe = CommandTable.id(ofKnown: "unsubscribe")
  /// UNWATCH.
  public static let unwatch = CommandTable.id(ofKnown: "unwatch")
  /// WATCH.
  public static let watch = CommandTable.id(ofKnown: "watch")
}
