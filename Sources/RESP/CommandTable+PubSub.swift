// Messages.
//
// Channels are not keys, though the servers give the sharded ones positions. PUBSUB's subcommands carry no `readonly`
// flag, so they are unlisted: their replies are true only of the store that the subscribers are on.
extension CommandTable {
  static let pubsub: [CommandSpec] = [
    .pubsub("psubscribe", -2),
    .publish("publish", 3),
    .container("pubsub", -2),
    .unlisted("pubsub|channels", -2),
    .unlisted("pubsub|help", 2),
    .unlisted("pubsub|numpat", 2),
    .unlisted("pubsub|numsub", -2),
    .unlisted("pubsub|shardchannels", -2),
    .unlisted("pubsub|shardnumsub", -2),
    .pubsub("punsubscribe", -1),
    .publish("spublish", 3),
    .pubsub("ssubscribe", -2),
    .pubsub("subscribe", -2),
    .pubsub("sunsubscribe", -1),
    .pubsub("unsubscribe", -1),
  ]
}
