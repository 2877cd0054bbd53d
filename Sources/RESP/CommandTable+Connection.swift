// The client's connection, and transactions.
//
// Commands that would apply to the connection to a store, which many clients share, are refused. CLIENT is about the
// sidecar's own clients: no store knows them.
extension CommandTable {
  static let connection: [CommandSpec] = [
    .connection("asking", 1, refused: .changesConnection),
    .connection("auth", -2),
    .container("client", -2, .connection),
    .connection("client|caching", 3),
    .connection("client|capa", -3),
    .connection("client|getname", 2),
    .connection("client|getredir", 2),
    .connection("client|help", 2),
    .connection("client|id", 2),
    .connection("client|import-source", 3, refused: .changesConnection),
    .connection("client|info", 2, reply: .always(.verbatim)),
    .connection("client|kill", -3, .isAdministrative),
    .connection("client|list", -2, .isAdministrative, reply: .always(.verbatim)),
    .connection("client|no-evict", 3, .isAdministrative),
    .connection("client|no-touch", 3),
    .connection("client|pause", -3, .isAdministrative),
    .connection("client|reply", 3),
    .connection("client|setinfo", 4),
    .connection("client|setname", 3),
    .connection("client|tracking", -3),
    .connection("client|trackinginfo", 2, reply: .always(.flagged)),
    .connection("client|unblock", -3, .isAdministrative),
    .connection("client|unpause", 2, .isAdministrative),
    .transaction("discard", 1),
    .connection("echo", 2),
    .transaction("exec", 1),
    .connection("hello", -1, reply: .always(.greeting)),
    .transaction("multi", 1),
    .connection("ping", -1),
    .connection("quit", -1),
    .connection("readonly", 1, refused: .changesConnection),
    .connection("readwrite", 1, refused: .changesConnection),
    .connection("reset", 1),
    .connection("select", 2),
    .transaction("unwatch", 1),
    .transaction("watch", -2, .all),
  ]
}
