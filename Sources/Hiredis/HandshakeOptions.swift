/// The questions of every new connection to its server, and the demands on it, besides the login and the database.
public struct HandshakeOptions: Sendable, Equatable {
  /// Commands that are executed before any other; it is no failure if the store refuses one.
  public var preparation: [[String]] = []

  /// Whether the server is asked for the connection's number, so that another one can unblock it, or close it after a
  /// timeout.
  public var asksForClientID = false

  /// Whether the server is asked how many keys the database has; see ``ServerIdentity/keyCount``.
  public var asksForKeyCount = false

  /// Whether the server is asked which modules it has loaded; see ``ServerIdentity/modules``.
  public var asksForModules = false

  /// Whether the connection is ready even while the server executes a script that takes too long. Such a connection may
  /// be in the wrong database, and is only for commands that end a script: those that the server refuses then are left
  /// out of the handshake.
  public var toleratesBusyServer = false

  /// Whether the server has to be a sentinel; otherwise it must be none.
  public var expectsSentinel = false

  /// Nothing but the login and the database.
  public init() {}
}
