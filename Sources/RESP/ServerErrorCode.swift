/// The first word of an error reply, where the sidecar's behaviour depends on it.
public enum ServerErrorCode: String, Sendable {
  /// An error without a code of its own.
  case generic = "ERR"
  /// The server executes a script that takes too long, and nothing but commands that can end it.
  case busy = "BUSY"
  /// The server loads its data.
  case loading = "LOADING"
  /// The connection has to log in first.
  case noAuthentication = "NOAUTH"
  /// The user has no right to the command.
  case noPermission = "NOPERM"
  /// The server is a replica, and refuses writes.
  case readOnly = "READONLY"
  /// The server does not have the script.
  case noScript = "NOSCRIPT"
  /// The key has another type than the command asks for.
  case wrongType = "WRONGTYPE"
  /// The server is full, and refuses commands that may need memory.
  case outOfMemory = "OOM"
  /// The server has too few replicas to accept writes.
  case noReplicas = "NOREPLICAS"
  /// The server can't save its data, and refuses writes.
  case misconfigured = "MISCONF"

  /// Whether it is not about the command: the server can't execute anything at the moment, or no writes.
  public var isOfServer: Bool {
    switch self {
    case .busy, .loading, .outOfMemory, .readOnly, .noReplicas, .misconfigured: true
    case .generic, .noAuthentication, .noPermission, .noScript, .wrongType: false
    }
  }

  /// Reads the code that `text`, an error reply, begins with; nil for others.
  public init?(errorReply text: String) {
    self.init(rawValue: String(text.prefix { $0 != " " }))
  }
}
