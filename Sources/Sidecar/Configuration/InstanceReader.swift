internal import TLS

/// Reads one instance.
struct InstanceReader {
  /// An instance with the positions that the comparison of all instances cites.
  struct Draft {
    let reader: MappingReader
    /// Nil when it is missing or wrong, which has been reported.
    let name: String?
    let listen: [(address: ListenAddress, position: SourcePosition)]
    let primary: StoreConfiguration?
    let secondary: StoreConfiguration?
    /// Nil when something obligatory is missing or wrong, which has been reported.
    let configuration: InstanceConfiguration?
  }

  /// Whether a text can be the name of an instance or a store: `[a-z][a-z0-9_]*`.
  static func isName(_ text: String) -> Bool {
    guard let first = text.first, first.isASCII, first.isLowercase, text.count <= Setting.Kind.longestName else {
      return false
    }
    return text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isWholeNumber) || $0 == "_" }
  }

  /// Returns the password from `password` or `password_file`, of which only one may be given.
  static func password(of reader: MappingReader) -> Secret? {
    let context = reader.context
    let password = reader.value("password").map { Secret($0.expanded) }
    guard let file = reader.value("password_file") else { return password }
    guard !reader.has("password") else {
      context.error(file.position, reader.keyPath("password_file"), "password is given as well; give one of them")
      return password
    }
    return context.secret(inFile: file.expanded, at: file.position, key: reader.keyPath("password_file"))
  }

  fileprivate static func settledChecks(of reader: MappingReader) -> InstanceConfiguration.SettledChecks {
    let section = reader.sectionOrDefaults("settled_checks")
    return InstanceConfiguration.SettledChecks(
      rate: section.integer("rate"),
      delay: section.duration("delay"),
      heals: section.boolean("heal")
    )
  }

  /// Reads an instance with the stores that it names or defines.
  static func read(_ reader: MappingReader, stores: inout StoreReader) -> Draft {
    let name = name(of: reader)
    let listen = listen(of: reader)
    let primary = stores.store("primary", of: reader, instanceName: name ?? reader.path)
    let secondary = stores.store("secondary", of: reader, instanceName: name ?? reader.path)
    let configuration = InstanceConfiguration(
      name: name ?? reader.path,
      listen: listen.map(\.address),
      primary: primary,
      secondary: secondary,
      reader: reader
    )
    return Draft(
      reader: reader,
      name: name,
      listen: listen,
      primary: primary,
      secondary: secondary,
      configuration: configuration
    )
  }

  private static func name(of reader: MappingReader) -> String? {
    reader.value("name").flatMap { isName($0.expanded) ? $0.expanded : reader.reject($0, "name") }
  }

  private static func listen(of reader: MappingReader) -> [(address: ListenAddress, position: SourcePosition)] {
    guard let node = reader.node("listen") else { return [] }
    let path = reader.keyPath("listen")
    let expectation = Setting.Kind.addresses.expectation
    var nodes = [(node, path)]
    if case .sequence(let elements) = node.content {
      nodes = elements.enumerated().map { ($1, "\(path)[\($0)]") }
      if nodes.isEmpty { reader.context.error(node.position, path, "is empty; expected \(expectation)") }
    }
    return nodes.compactMap { node, path -> (address: ListenAddress, position: SourcePosition)? in
      guard let value = reader.value(of: node, key: path, expectation: expectation) else { return nil }
      do throws(ValueMistake) {
        return (try ListenAddress(value.expanded), node.position)
      } catch {
        reader.context.error(node.position, path, error.message)
        return nil
      }
    }
  }
}

extension InstanceConfiguration {
  /// Reads the keys that do not depend on other parts of the file; nil without a secondary store.
  fileprivate init?(
    name: String,
    listen: [ListenAddress],
    primary: StoreConfiguration?,
    secondary: StoreConfiguration?,
    reader: MappingReader
  ) {
    self.name = name
    self.listen = listen
    tls = ListenerTLSReader.tls(of: reader, listen: listen)
    self.primary = primary
    readPolicy = reader.choice("read_policy")
    writeAcknowledgement = reader.choice("write_acknowledgement")
    otherStoreTimeout = reader.duration("other_store_timeout")
    unlistedCommands = reader.choice("unlisted_commands")
    scripts = reader.choice("scripts")
    comparison = reader.choice("comparison")
    recheckDiffs = reader.boolean("recheck_diffs")
    keyspaceSampling = reader.boolean("keyspace_sampling")
    allowFlush = reader.boolean("allow_flush")
    logValues = reader.boolean("log_values")
    password = InstanceReader.password(of: reader)
    let verifiesClients = tls.map { $0.server.settings.clientAuthentication != .none }
    users = UserReader.users(of: reader, verifiesClients: verifiesClients ?? (reader.has("tls") ? nil : false))
    settledChecks = InstanceReader.settledChecks(of: reader)
    limits = Limits(
      maxClients: reader.integer("max_clients"),
      idleTimeout: reader.optionalDuration("idle_timeout"),
      maxBulkBytes: reader.size("max_bulk_bytes"),
      maxArguments: reader.integer("max_arguments"),
      clientOutputBufferLimitBytes: reader.size("client_output_buffer_limit"),
      maxPipelinedCommands: reader.integer("max_pipeline"),
      maxDedicatedConnections: reader.integer("max_dedicated_connections"),
      maxStaleKeys: reader.integer("max_stale_keys"),
      maxKeysAtFlip: reader.integer("max_keys_at_flip"),
      keyWorkRate: reader.integer("key_work_rate"),
      largeKeyBytes: reader.size("large_key_bytes"),
      eventRateLimitPerSecond: reader.integer("event_rate_limit")
    )
    guard let secondary else { return nil }
    self.secondary = secondary
  }
}
