/// A kind of execution that is used for one batch after the other; see ``ExecutionPools``. It decides which commands
/// are sent to which store, and holds an ``ExecutionCore``, which answers the client.
///
/// The kinds are final classes, so that calls between them and the core are direct ones.
protocol PooledExecution: AnyObject {
  /// An execution without a batch.
  init(_ core: ExecutionCore)

  /// The role of the default store that it is for.
  var defaultRole: StoreRole { get }
}
