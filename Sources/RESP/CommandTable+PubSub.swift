// Messages.
extension CommandTable {
  static let pubsub: [CommandSpec] = [
    .pubsub("psubscribe", -2),
    .publish("publish", 3, .none),
    .container("pubsub", -2),
    .unlisted("pubsub|channels", -2),
    .unlisted("pubsub|help", 2),
    .unlisted("pubsub|numpat", 2),
    .unlisted("pubsub|numsub", -2),
    .unlisted("pubsub|shardchannels", -2),
    .unlisted("pubsub|shardnumsub", -2),
    .pubsub("punsubscribe", -1),
    .publish("spublish", 3, .one),
    .pubsub("ssubscribe", -2, .all),
    .pubsub("subscribe", -2),
    .pubsub("sunsubscribe", -1, .all),
    .pubsub("unsubscribe", -1),
  ]
}
