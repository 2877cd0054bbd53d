internal import TLS

/// Reads stores, under `stores` and inside instances.
struct StoreReader {
  /// A store under `stores`.
  private struct Definition {
    let position: SourcePosition
    /// Nil when it has a mistake, which has been reported.
    let store: StoreConfiguration?
    var isUsed = false
  }

  private let context: LoadContext
  private var definitions: [String: Definition] = [:]

  /// Reads the definitions under `stores`, of which there may be none.
  init(definitions node: YAMLNode?, context: LoadContext) {
    self.context = context
    guard let node else { return }
    guard case .mapping(let entries) = node.content else {
      context.error(node.position, "stores", "expected a map from names to maps, found \(node.kind)")
      return
    }
    for entry in entries {
      guard let name = entry.key.text, InstanceReader.isName(name) else {
        let expectation = Setting.Kind.name.expectation
        context.error(entry.key.position, "stores", "the name of a store has to be \(expectation)")
        continue
      }
      let path = "stores.\(name)"
      if let first = definitions[name] {
        context.error(entry.key.position, path, "given twice; it is already in line \(first.position.line)")
        continue
      }
      let store = read(entry.value, name: name, path: path)
      definitions[name] = Definition(position: entry.key.position, store: store)
    }
  }

  /// Returns the store that a key of an instance names or defines; nil when there is none or it has a mistake.
  mutating func store(_ key: String, of reader: MappingReader, instanceName: String) -> StoreConfiguration? {
    guard let node = reader.node(key) else { return nil }
    let path = reader.keyPath(key)
    guard case .scalar = node.content else {
      return read(node, name: "\(instanceName).\(key)", path: path)
    }
    guard let value = reader.value(key) else { return nil }
    if let definition = definitions[value.expanded] {
      definitions[value.expanded] = Definition(position: definition.position, store: definition.store, isUsed: true)
      guard var store = definition.store else { return nil }
      // Instances count their handshakes each for itself.
      if let shared = store.tls { store.tls = TLSClient(shared.settings) }
      if var sentinels = store.sentinels, let shared = sentinels.tls {
        sentinels.tls = TLSClient(shared.settings)
        store.place = .sentinels(sentinels)
      }
      return store
    }
    // The value may be a URL with a password: it is shown only if it looks like a name.
    guard InstanceReader.isName(value.raw) || EnvironmentExpansion.isExpandable(value.raw) else {
      context.error(node.position, path, "expected the name of a store under stores; for a URL write { url: … }")
      return nil
    }
    let known = definitions.keys.sorted()
    let hint = known.isEmpty ? "stores defines none" : NearestName.hint(for: value.raw, among: known)
    context.error(node.position, path, "no store is called \"\(LoadContext.shown(value.raw))\"; \(hint)")
    return nil
  }

  /// Warns of definitions that no instance refers to: an instance may refer to the wrong one.
  func reportUnused() {
    for (name, definition) in definitions where !definition.isUsed {
      context.warning(definition.position, "stores.\(name)", "no instance uses this store")
    }
  }

  private func read(_ node: YAMLNode, name: String, path: String) -> StoreConfiguration? {
    guard let reader = MappingReader(node, section: .store, path: path, context: context) else { return nil }
    let (url, sentinel) = (url(of: reader), sentinel(of: reader))
    let username = username(of: reader, url: url)
    let password = password(of: reader, inURL: url?.password)
    let file = { (key: String) in reader.value(key).map { context.resolve(path: $0.expanded) } }
    let (usernameFile, passwordFile) = (file("username_file"), file("password_file"))
    let passwordCommand = passwordCommand(of: reader, inURL: url?.password)
    if username != nil, password == nil, url != nil || sentinel != nil,
      !["password", "password_file", "password_command"].contains(where: reader.has)
    {
      context.error(reader.position, reader.path, "a user name without a password; add password_file")
    }
    let place = url.map { .address($0.address) } ?? sentinel?.sentinels().map { StoreConfiguration.Place.sentinels($0) }
    let tls = StoreTLSReader(store: reader, place: place, usesTLS: url?.usesTLS == true).client()
    let connectTimeout = reader.duration("connect_timeout")
    let commandTimeout = commandTimeout(of: reader)
    let maxQueuedCommands = reader.integer("max_queued_commands")
    let maxQueuedBytes = reader.size("max_queued_bytes")
    guard let place else { return nil }
    let database = sentinel?.database
    return StoreConfiguration(
      name: name,
      place: place,
      username: username,
      password: password,
      usernameFile: usernameFile,
      passwordFile: passwordFile,
      passwordCommand: passwordCommand,
      database: url?.database ?? database?.number ?? 0,
      namesDatabase: url?.namesDatabase ?? database?.isNamed ?? false,
      tls: tls,
      connectTimeout: connectTimeout,
      commandTimeout: commandTimeout,
      maxQueuedCommands: maxQueuedCommands,
      maxQueuedBytes: maxQueuedBytes
    )
  }

  /// Returns the sentinels, which are given in place of a URL, and reports a store that has both or neither.
  private func sentinel(of reader: MappingReader) -> SentinelReader? {
    switch (reader.has("url"), reader.has("sentinel")) {
    case (false, false):
      context.error(
        reader.position,
        reader.path,
        "\"url\" is missing; expected \(Setting.Kind.url.expectation), or sentinel"
      )
    case (true, true):
      reader.fail("sentinel", "the store has a url; give one of them")
    default: break
    }
    return reader.section("sentinel").map(SentinelReader.init)
  }

  private func url(of reader: MappingReader) -> StoreURL? {
    guard let node = reader.node("url") else { return nil }
    guard let raw = node.text else {
      context.error(node.position, reader.keyPath("url"), "expected a URL, found \(node.kind)")
      return nil
    }
    do {
      return try StoreURL(raw, expansion: context.expansion)
    } catch {
      context.error(node.position, reader.keyPath("url"), error.message)
      return nil
    }
  }

  private func username(of reader: MappingReader, url: StoreURL?) -> String? {
    if let file = reader.value("username_file") {
      if url?.username != nil || reader.has("username") {
        let message = "the user name is given already; give it once"
        context.error(file.position, reader.keyPath("username_file"), message)
      }
      let key = reader.keyPath("username_file")
      return context.secret(inFile: file.expanded, at: file.position, key: key)?.value
    }
    guard let value = reader.value("username") else { return url?.username }
    if url?.username != nil {
      context.error(value.position, reader.keyPath("username"), "the url has a user name already; give it once")
    }
    return value.expanded
  }

  private func password(of reader: MappingReader, inURL: Secret?) -> Secret? {
    let password = InstanceReader.password(of: reader)
    if inURL != nil, reader.has("password") || reader.has("password_file") {
      let key = reader.has("password") ? "password" : "password_file"
      context.error(reader.position(of: key), reader.keyPath(key), "the url has a password already; give it once")
    }
    return password ?? inURL
  }

  /// Returns the program that prints the password, and reports one that can't be run.
  private func passwordCommand(of reader: MappingReader, inURL: Secret?) -> [String]? {
    let key = "password_command"
    guard reader.has(key), let values = reader.values(key) else { return nil }
    if inURL != nil || reader.has("password") || reader.has("password_file") {
      let message = "the store has a password already; give it once"
      context.error(reader.position(of: key), reader.keyPath(key), message)
    }
    var words = values.map(\.expanded)
    guard let program = words.first else {
      context.error(reader.position(of: key), reader.keyPath(key), "is empty; expected a program and its arguments")
      return nil
    }
    if program.utf8.contains(UInt8(ascii: "/")) { words[0] = context.resolve(path: program) }
    guard SmallFile.isExecutable(words[0], searchPath: ProcessEnvironment.value("PATH") ?? "") else {
      context.error(reader.position(of: key), reader.keyPath(key), "\(words[0]) is no program that can be run here")
      return nil
    }
    return words
  }

  /// Returns the time limit on replies; nil for `none`.
  private func commandTimeout(of reader: MappingReader) -> Duration? {
    reader.has("command_timeout") ? reader.optionalDuration("command_timeout") : reader.duration("command_timeout")
  }
}
