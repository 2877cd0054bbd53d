extension SettingSection {
  /// The keys of the sentinels of a store.
  static let sentinelSettings = [
    Setting("master", .text, .required, "The name under which the sentinels watch the master."),
    Setting(
      "nodes",
      .texts,
      .required,
      "Addresses of sentinels, `[host:port, …]`, port 26379 unless given. They are asked in turn; others that they "
        + "know of are asked and listened to as well."
    ),
    Setting(
      "database",
      .integer(0...StoreURL.largestDatabase),
      .value("0"),
      "The database; where neither store names one, clients can SELECT any."
    ),
    Setting("username", .text, .none("Redis' `default`"), "ACL user at the sentinels."),
    Setting("password", .secret, .none("no AUTH"), "Password at the sentinels; that of the store is beside this map."),
    Setting(
      "password_file",
      .file,
      .none("no AUTH"),
      "File that has that password and nothing else; read again for each connection."
    ),
    Setting(
      "tls",
      .section(.storeTLS),
      .none("plain connections"),
      "TLS to the sentinels, with the defaults for `tls: {}`; that of the store is beside this map."
    ),
  ]
}
