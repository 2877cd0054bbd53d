internal import Sockets

/// Reads `sentinel` of a store.
struct SentinelReader {
  /// The port of sentinels, unless another is given.
  static let defaultPort = 26379

  private let reader: MappingReader

  init(_ reader: MappingReader) {
    self.reader = reader
  }

  /// Returns the sentinels; nil after a mistake, which has been reported.
  func sentinels() -> StoreConfiguration.Sentinels? {
    let master = master()
    let nodes = nodes()
    let username = reader.value("username")?.expanded
    let password = InstanceReader.password(of: reader)
    if username != nil, password == nil, !reader.has("password"), !reader.has("password_file") {
      reader.fail("username", "a user name without a password; add password_file")
    }
    let passwordFile = reader.value("password_file").map { reader.context.resolve(path: $0.expanded) }
    let tls = StoreTLSReader(store: reader, place: nodes.first.map { .address($0) }, usesTLS: false).client()
    guard let master, !nodes.isEmpty else { return nil }
    return StoreConfiguration.Sentinels(
      master: master,
      nodes: nodes,
      username: username,
      password: password,
      passwordFile: passwordFile,
      tls: tls
    )
  }

  /// The number of the database, and whether the file gives it.
  var database: (number: Int, isNamed: Bool) { (reader.integer("database"), reader.has("database")) }

  /// Sentinels separate the words of their messages by spaces.
  private func master() -> String? {
    guard let value = reader.value("master") else { return nil }
    guard !value.expanded.contains(where: \.isWhitespace) else {
      reader.fail("master", "the name of a master has no spaces")
      return nil
    }
    return value.expanded
  }

  private func nodes() -> [SocketAddress] {
    guard let values = reader.values("nodes") else { return [] }
    if values.isEmpty { reader.fail("nodes", "is empty; expected addresses such as [10.0.0.1:26379, 10.0.0.2:26379]") }
    return values.compactMap { value in
      do throws(ValueMistake) {
        let port = Self.defaultPort
        return try SocketAddress.tcp(authority: value.expanded, defaultPort: port, ports: 1...65535)
      } catch {
        reader.context.error(value.position, reader.keyPath("nodes"), error.message)
        return nil
      }
    }
  }
}
