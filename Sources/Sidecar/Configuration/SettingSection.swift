/// The maps of a configuration, with all their keys.
enum SettingSection: Sendable, CaseIterable {
  case top, store, sentinel, storeTLS, instance, listenerTLS, settledChecks, user, featureFlags, admin, adminTLS, log
  case web, webTLS, webHTTP, webHeaders, webRateLimit

  /// The maps of the configuration file.
  static let ofSidecar: [SettingSection] = [
    .top, .store, .sentinel, .storeTLS, .instance, .listenerTLS, .settledChecks, .user, .featureFlags, .admin,
    .adminTLS, .log,
  ]
  /// The maps of the file that `--web.config.file` names.
  static let ofWeb: [SettingSection] = [.web, .webTLS, .webHTTP, .webHeaders, .webRateLimit]

  /// The title of the section's table.
  var title: String {
    switch self {
    case .top: "Top level"
    case .store: "A store (`stores.NAME`, `primary`, `secondary`)"
    case .sentinel: "`sentinel` of a store"
    case .storeTLS: "`tls` of a store"
    case .instance: "An instance (`instances[]`)"
    case .listenerTLS: "`tls` of an instance"
    case .settledChecks: "`settled_checks` of an instance"
    case .user: "A user (`instances[].users[]`)"
    case .featureFlags: "`feature_flags`"
    case .admin: "`admin`"
    case .adminTLS: "`tls` of `admin`"
    case .log: "`log`"
    case .web: "Top level of the web configuration"
    case .webTLS: "`tls_server_config`"
    case .webHTTP: "`http_server_config`"
    case .webHeaders: "`http_server_config.headers`"
    case .webRateLimit: "`rate_limit`"
    }
  }

  /// Returns the end of a sentence about a key that this map does not have: the key that it most likely stands for, or
  /// the map that has it.
  func hint(forUnknown key: String) -> String {
    let known = settings.map(\.name)
    let file = Self.ofWeb.contains(self) ? Self.ofWeb : Self.ofSidecar
    guard NearestName.find(key, among: known) == nil,
      let owner = file.first(where: { $0.settings.contains { $0.name == key } })
    else { return NearestName.hint(for: key, among: known) }
    let title = owner.title.filter { $0 != "`" }
    return "its place is: \(title.prefix(1).lowercased())\(title.dropFirst())"
  }

  /// The keys, in the order in which they are documented.
  var settings: [Setting] {
    switch self {
    case .top: Self.topSettings
    case .store: Self.storeSettings
    case .sentinel: Self.sentinelSettings
    case .storeTLS: Self.storeTLSSettings
    case .instance: Self.instanceSettings
    case .listenerTLS: Self.listenerTLSSettings
    case .settledChecks: Self.settledCheckSettings
    case .user: Self.userSettings
    case .featureFlags: Self.featureFlagSettings
    case .admin: Self.adminSettings
    case .adminTLS: Self.serverTLSSettings
    case .log: Self.logSettings
    case .web: Self.webSettings
    case .webTLS: Self.webTLSSettings
    case .webHTTP: Self.webHTTPSettings
    case .webHeaders: Self.webHeaderSettings
    case .webRateLimit: Self.webRateLimitSettings
    }
  }

  /// The messages about keys that users may expect and that do not exist.
  var unsupported: [String: String] {
    switch self {
    case .store:
      [
        "sentinels": "unknown key; it is sentinel: { master: NAME, nodes: [host:port, …] }",
        "cluster": "Redis Cluster is not supported yet",
        "ssl": "unknown key; TLS is a rediss:// URL, and a map tls with its settings",
        "database": "unknown key; the database is part of the url: redis://host:port/1 or unix:///path?db=1",
        "db": "unknown key; the database is part of the url: redis://host:port/1 or unix:///path?db=1",
      ]
    case .adminTLS:
      [
        "handshake_timeout":
          "cannot be set here: a client of the admin API has 10s for the handshake and its first request together"
      ]
    case .webTLS:
      [
        "cipher_suites":
          "cannot be chosen: GnuTLS has no list of single suites. Leave it out for GnuTLS' own choice, or "
          + "write min_version: TLS13"
      ]
    case .instance:
      [
        "<<": "merge keys are not supported; use stores for what several instances share",
        "settled_check_rate": "unknown key; it is settled_checks: { rate: N } now",
      ]
    default: ["<<": "merge keys are not supported; use stores for what several instances share"]
    }
  }

  /// The smallest memory limit, in bytes: the buffers of a few clients.
  static let smallestMemoryLimit = 16 << 20

  private static let topSettings = [
    Setting("instances", .sectionList(.instance), .required, "The instances, each with its listener and its stores."),
    Setting(
      "stores",
      .namedSections(.store),
      .none("none"),
      "Named stores, which `primary` and `secondary` of several instances can refer to."
    ),
    Setting("feature_flags", .section(.featureFlags), .none("see below"), "The file of the feature flags."),
    Setting(
      "state_directory",
      .folder,
      .none("in memory only"),
      "Folder for what a restart must not forget: the keys that are stale on a store, and whether the sidecar was "
        + "stopped cleanly. It is for one sidecar alone, and made if it is missing. Without it a restart forgets stale "
        + "keys: reads may find outdated values from then on, and these keys do not heal."
    ),
    Setting("admin", .section(.admin), .none("see below"), "The admin API."),
    Setting("log", .section(.log), .none("see below"), "The JSON log."),
    Setting(
      "memory_limit",
      .size(smallestMemoryLimit...1 << 40),
      .none("a quarter of the memory of the cgroup or the machine"),
      "Bytes that commands and replies of all clients may take together. Near it, large commands wait for room, "
        + "then commands of the clients that use most are refused, then these clients are closed."
    ),
    Setting(
      "shutdown_timeout",
      .duration(.zero...(.seconds(3600))),
      .value("10s"),
      "The time that commands in flight and pending copies have after SIGTERM before they are aborted."
    ),
  ]

  private static let storeSettings = [
    Setting(
      "url",
      .url,
      .none("`sentinel` in its place"),
      "`redis://[user][:password@]host[:port][/database]`, the same with `rediss://` for TLS, or "
        + "`unix:///path[?db=database]`; port 6379 and database 0 unless given; where neither store's URL names a "
        + "database, clients can SELECT any. Percent-encode special characters; the value of `${NAME}` needs no "
        + "encoding."
    ),
    Setting(
      "sentinel",
      .section(.sentinel),
      .none("`url` in its place"),
      "The sentinels that know where the store's master is, which is followed through failovers."
    ),
    Setting("username", .text, .none("Redis' `default`"), "ACL user, if not in the URL."),
    Setting(
      "username_file",
      .file,
      .none("Redis' `default`"),
      "File that has the ACL user and nothing else; read again for each connection."
    ),
    Setting("password", .secret, .none("no AUTH"), "Password, if not in the URL."),
    Setting(
      "password_file",
      .file,
      .none("no AUTH"),
      "File that has the password and nothing else; read again for each connection, and soon after it has changed for "
        + "those that are open."
    ),
    Setting(
      "password_command",
      .texts,
      .none("no AUTH"),
      "Program with its arguments, `[program, argument, …]`, that prints the password and nothing else within "
        + "`connect_timeout`: a token that is valid for minutes. It is run for new connections, without a shell, and "
        + "what it prints is used for ten seconds."
    ),
    Setting(
      "tls",
      .section(.storeTLS),
      .none("as the URL says"),
      "Settings of TLS, which a `rediss://` URL uses with the defaults; with this map a `redis://` URL uses it too."
    ),
    Setting(
      "connect_timeout",
      .duration(.milliseconds(1)...(.seconds(600))),
      .value("5s"),
      "The time limit on connecting, the handshake of TLS and logging in."
    ),
    Setting(
      "command_timeout",
      .duration(.milliseconds(1)...(.seconds(3600))),
      .value("5s"),
      "The time limit on a reply of the store while it is the default; then the connection is closed."
    ),
    Setting(
      "max_queued_commands",
      .integer(1...10_000_000),
      .value("100000"),
      "Commands waiting for this store's replies; further ones are answered with an error."
    ),
    Setting(
      "max_queued_bytes",
      .size(1 << 20...16 << 30),
      .value("256MiB"),
      "Bytes of commands waiting to be sent to this store; further ones are answered with an error. Reads and writes "
        + "of 64 KiB or more wait in their clients' inputs first, while the default store takes no more."
    ),
  ]

  private static let featureFlagSettings = [
    Setting(
      "file",
      .file,
      .none("in memory only"),
      "YAML file with the flags: watched, and rewritten by the admin API. Without it, changes do not survive a "
        + "restart."
    )
  ]

  private static let adminSettings = [
    Setting(
      "token_file",
      .file,
      .none("no token"),
      "File with the bearer token that the admin API requires. Required unless it listens on loopback or a unix "
        + "socket."
    ),
    Setting(
      "tls",
      .section(.adminTLS),
      .none("plain HTTP"),
      "HTTPS, for an address with a host and a port. A client's certificate does not replace the token."
    ),
  ]

  private static let logSettings = [
    Setting(
      "queue_limit",
      .size(64 << 10...1 << 30),
      .value("4MiB"),
      "Bytes of log lines waiting to be written; further lines are dropped and counted."
    )
  ]
}

extension SettingSection {
  /// Returns the default of a key that takes a size, for a missing section.
  func defaultSize(_ key: String) -> Int {
    guard let setting = settings.first(where: { $0.name == key }), case .value(let text) = setting.fallback,
      let size = ScalarValues.size(text)
    else { preconditionFailure("\(key) of \(self) has no default that is a size") }
    return size
  }
}
