internal import MultiStore

extension SettingSection {
  /// The keys of an instance: addresses, policies, limits.
  static let instanceSettings: [Setting] = [
    Setting(
      "name",
      .name,
      .required,
      "Names the instance in metrics, events and its feature flags: lower-case letters, digits and underscores."
    ),
    Setting(
      "listen",
      .addresses,
      .required,
      "`host:port`, `tls:host:port` with the map `tls`, or `unix:/path`, or a list of these."
    ),
    Setting(
      "tls",
      .section(.listenerTLS),
      .none("no TLS for clients"),
      "Settings of the addresses of `listen` that begin with `tls:`."
    ),
    Setting(
      "primary",
      .store,
      .none("pass-through"),
      "The new store. Without it the instance is a plain pass-through."
    ),
    Setting("secondary", .store, .required, "The old store."),
    Setting(
      "read_policy",
      choices(ReadPolicy.self),
      .value("fallback"),
      "Reads while dual writes are on: the primary with the secondary as fallback, or the default store alone."
    ),
    Setting(
      "write_acknowledgement",
      choices(WriteAcknowledgement.self),
      .value("both"),
      "A dual write is answered when both stores have executed it, or as soon as the default store has."
    ),
    Setting(
      "other_store_timeout",
      .duration(.milliseconds(1)...(.seconds(3600))),
      .value("1s"),
      "The time limit on a reply of the store that is not the default, unless its `command_timeout` is shorter. "
        + "After a timeout no command waits for this store until it has answered probes for a while."
    ),
    Setting(
      "unlisted_commands",
      choices(UnlistedCommands.self),
      .value("forward"),
      "Commands that are neither known reads nor known writes go to the default store, or get an error."
    ),
    Setting(
      "scripts",
      choices(ScriptExecution.self),
      .value("copy_keys"),
      "How EVAL, EVALSHA and FCALL reach the other store: the keys that they name are copied, or both stores execute "
        + "them."
    ),
    Setting(
      "comparison",
      choices(ReplyComparison.self),
      .value("canonical"),
      "How replies of both stores are compared: without the order of sets and hashes, or byte for byte."
    ),
    Setting(
      "recheck_diffs",
      .boolean,
      .value("false"),
      "Whether a read in a pipeline whose replies differed is compared again, and counted if it still differs."
    ),
    Setting(
      "keyspace_sampling",
      .boolean,
      .value("true"),
      "Whether the number of keys of each store and the times to live of 16 of them are sampled every 15 seconds, "
        + "with INFO, RANDOMKEY and PTTL. A store that does not answer counts as down, even if clients send it no "
        + "commands."
    ),
    Setting(
      "allow_flush",
      .boolean,
      .value("false"),
      "Whether FLUSHDB and FLUSHALL are executed, on both stores. Otherwise they get an error if there is "
        + "a primary."
    ),
    Setting("log_values", .boolean, .value("false"), "Whether events may show keys and values."),
    Setting(
      "password",
      .secret,
      .none("no AUTH required"),
      "The password of clients that log in as the user `default`."
    ),
    Setting(
      "password_file",
      .file,
      .none("no AUTH required"),
      "File that has this password and nothing else; read at the start."
    ),
    Setting(
      "users",
      .sectionList(.user),
      .none("no AUTH required"),
      "Users that clients log in as by name. Without `password` there is no user `default` then."
    ),
    Setting("max_clients", .integer(1...1_000_000), .value("10000"), "Clients connected at once."),
    Setting(
      "idle_timeout",
      .duration(.seconds(1)...(.seconds(7 * 24 * 3600))),
      .none("none"),
      "The time without a whole command, or 4 KiB more of one, after which a client is closed."
    ),
    Setting("max_bulk_bytes", .size(1 << 10...512 << 20), .value("512MiB"), "The largest argument of a command."),
    Setting("max_arguments", .integer(16...1_048_576), .value("1048576"), "The most arguments of a command."),
    Setting(
      "client_output_buffer_limit",
      .size(64 << 10...16 << 30),
      .value("256MiB"),
      "Replies that may wait for a client that does not read; beyond that it is closed. A single larger reply is sent."
    ),
    Setting(
      "max_pipeline",
      .integer(1...1_000_000),
      .value("10000"),
      "Commands of one client that may wait for replies; beyond that it is not read until some have been answered."
    ),
    Setting(
      "max_dedicated_connections",
      .integer(0...1_000_000),
      .value("1000"),
      "Dedicated connections of clients to a store at once, for blocking commands, WATCH and subscriptions."
    ),
    Setting(
      "max_stale_keys",
      .integer(0...100_000_000),
      .value("100000"),
      "Keys of one database that are remembered as stale on a store; beyond that the store is not trusted until it is "
        + "emptied or `multistore-exporter trust` says so."
    ),
    Setting(
      "max_keys_at_flip",
      .integer(0...100_000_000),
      .value("1000"),
      "The most stale keys on a store that may become the default; beyond that the admin API and the command line "
        + "refuse to move the default there unless forced."
    ),
    Setting(
      "key_work_rate",
      .integer(0...1_000_000),
      .value("1000"),
      "Keys that are copied whole in a second, at most, while no client waits for them: stale keys that heal. With 0 "
        + "they heal only when they are written, and before a flip."
    ),
    Setting(
      "settled_checks",
      .section(.settledChecks),
      .none("see below"),
      "The comparison of keys that were written to both stores, once they are quiet."
    ),
    Setting(
      "large_key_bytes",
      .size(64 << 10...16 << 30),
      .value("8MiB"),
      "The size of a key in the server's memory above which a backfill copies it alone, and names it in its report."
    ),
    Setting(
      "event_rate_limit",
      .integer(1...100_000),
      .value("10"),
      "Events of one class that are logged in a second; the rest is counted as suppressed."
    ),
  ]

  /// The keys of `settled_checks`.
  static let settledCheckSettings: [Setting] = [
    Setting(
      "rate",
      .integer(0...100_000),
      .value("1000"),
      "Keys that are compared on both stores in a second, at most; 0 for none. What is written faster is counted as "
        + "unchecked."
    ),
    Setting(
      "delay",
      .duration(.seconds(1) ... .seconds(60)),
      .value("2s"),
      "The time without a write after which a key is compared."
    ),
    Setting("heal", .boolean, .value("true"), "Whether a key that differs is copied again; otherwise it is reported."),
  ]

  /// The keys of a user.
  static let userSettings: [Setting] = [
    Setting("name", .text, .required, "The name that AUTH or HELLO gives; it has no spaces."),
    Setting("password", .secret, .none("this, the file or the certificate"), "The password that goes with it."),
    Setting(
      "password_file",
      .file,
      .none("this, the password or the certificate"),
      "File that has this password and nothing else; read at the start."
    ),
    Setting(
      "certificate_name",
      .text,
      .none("no certificate"),
      "A client whose certificate has this name, as its common name or an alternative one, is this user from the "
        + "beginning, without AUTH. Needs `tls.client_auth`."
    ),
  ]

  private static func choices<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type) -> Setting.Kind {
    .choice(Choice.allCases.map(\.rawValue))
  }
}
