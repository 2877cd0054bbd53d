// The client's connection, and transactions.
//
// Refused is what would hold for the connection to a store, which many clients share. CLIENT's subcommands about
// other clients are administration.
extension CommandTable {
  static let connection: [CommandSpec] = [
    .connection("asking", 1, .refused),
    .connection("auth", -2),
    .container("client", -2, .connection),
    .connection("client|caching", 3, .refused),
    .connection("client|capa", -3, .refused),
    .connection("client|getname", 2),
    .connection("client|getredir", 2),
    .unlisted("client|help", 2),
    .connection("client|id", 2),
    .connection("client|import-source", 3, .refused),
    .connection("client|info", 2),
    .unlisted("client|kill", -3),
    .unlisted("client|list", -2),
    .connection("client|no-evict", 3, .refused),
    .connection("client|no-touch", 3, .refused),
    .unlisted("client|pause", -3),
    .connection("client|reply", 3, .refused),
    .connection("client|setinfo", 4),
    .connection("client|setname", 3),
    .connection("client|tracking", -3, .refused),
    .connection("client|trackinginfo", 2),
    .unlisted("client|unblock", -3),
    .unlisted("client|unpause", 2),
    .transaction("discard", 1),
    .connection("echo", 2),
    .transaction("exec", 1),
    .connection("hello", -1),
    .transaction("multi", 1),
    .connection("ping", -1),
    .connection("quit", -1),
    .connection("readonly", 1, .refused),
    .connection("readwrite", 1, .refused),
    .connection("reset", 1),
    .connection("select", 2),
    .transaction("unwatch", 1),
    .transaction("watch", -2, .all),
  ]
}
