/// The commands that a client which monitors may not send.
extension CommandSpec {
  /// Whether a server refuses the command to a client that monitors: it reads or writes keys, or is sent to replicas.
  /// Not known of names that no server knows.
  public var reachesKeys: Bool {
    switch commandClass {
    case .read, .keyspaceRead, .write, .blocking: true
    case .script: keys != .none || traits.contains(.writes)
    case .connection, .transaction, .pubsub, .unlisted: traits.contains(.writes)
    }
  }
}
