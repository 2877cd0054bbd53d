internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import Proxy
internal import RESP
internal import TLS

// Conversions of the configuration file's types to the library's.

extension InstanceConfiguration {
  var multiStore: MultiStoreConfiguration {
    var result = MultiStoreConfiguration(
      name: name,
      primary: primary?.multiStore,
      secondary: secondary.multiStore
    )
    result.readPolicy = readPolicy
    result.writeAcknowledgement = writeAcknowledgement
    result.otherStoreTimeout = otherStoreTimeout
    result.comparison = comparison
    result.unlistedCommands = unlistedCommands
    result.scripts = scripts
    result.recheckDiffs = recheckDiffs
    result.keyspaceSampling = keyspaceSampling
    result.allowFlush = allowFlush
    result.logValues = logValues
    result.dedicatedConnectionLimit = limits.maxDedicatedConnections
    result.staleKeyLimit = limits.maxStaleKeys
    result.maxKeysAtFlip = limits.maxKeysAtFlip
    result.keysPerSecond = limits.keyWorkRate
    result.settledChecksPerSecond = settledChecks.rate
    result.settledCheckDelay = settledChecks.delay
    result.healsSettledDifferences = settledChecks.heals
    result.largeKeyBytes = limits.largeKeyBytes
    result.servesOtherDatabases = !secondary.namesDatabase && primary?.namesDatabase != true
    result.eventsPerSecond = limits.eventRateLimitPerSecond
    return result
  }

  /// The stores by their roles.
  var stores: [StoreRole: StoreConfiguration] {
    var stores = [StoreRole.secondary: secondary]
    stores[.primary] = primary
    return stores
  }

  /// The place and database of each store, by which a file of stale keys identifies them. A master has its name: other
  /// sentinels may be asked for it the next time, and `run_id` shows whether it is another server.
  var storePlaces: [StoreRole: String] {
    stores.mapValues { store in store.sentinels.map { "sentinel:\($0.master)/\(store.database)" } ?? "\(store)" }
  }

  var serverLimits: InstanceServer.Limits {
    InstanceServer.Limits(
      maxClients: limits.maxClients,
      idleTimeout: limits.idleTimeout,
      handshakeTimeout: tls?.handshakeTimeout ?? .zero,
      parser: ParserLimits(maxBulkBytes: limits.maxBulkBytes, maxArguments: limits.maxArguments),
      maxInFlight: limits.maxPipelinedCommands,
      outputBufferLimit: limits.clientOutputBufferLimitBytes
    )
  }

  /// The addresses that clients connect to.
  var entrances: [InstanceServer.Entrance] {
    listen.map { InstanceServer.Entrance($0.address, tls: $0.usesTLS ? tls?.server : nil) }
  }

  var credentials: Credentials? {
    var passwords = users.compactMap { user in user.password.map { (name: user.name, password: $0.value) } }
    if let password { passwords.append((Credentials.defaultUser, password.value)) }
    let certificates = Dictionary(
      users.compactMap { user in user.certificateName.map { ($0, user.name) } },
      uniquingKeysWith: { first, _ in first }
    )
    guard !passwords.isEmpty || !certificates.isEmpty else { return nil }
    return Credentials(users: passwords, certificates: certificates)
  }
}

extension StoreConfiguration {
  var multiStore: MultiStoreConfiguration.Store {
    var endpoint = StoreEndpoint(
      location: place.location,
      username: username,
      password: password?.value,
      database: database,
      tls: tls
    )
    endpoint.usernameFile = usernameFile.map { LoginFile($0, text: username ?? "") }
    endpoint.passwordFile = passwordFile.map { LoginFile($0, text: password?.value ?? "") }
    endpoint.passwordCommand = passwordCommand.map(LoginCommand.init)
    return MultiStoreConfiguration.Store(
      endpoint: endpoint,
      limits: ConnectionLimits(
        connectTimeout: connectTimeout,
        commandTimeout: commandTimeout,
        maxQueuedCommands: maxQueuedCommands,
        maxQueuedBytes: maxQueuedBytes
      )
    )
  }
}

extension StoreConfiguration.Place {
  var location: StoreLocation {
    switch self {
    case .address(let address): .address(address)
    case .sentinels(let sentinels): .sentinels(sentinels.group)
    }
  }
}

extension StoreConfiguration.Sentinels {
  fileprivate var group: SentinelGroup {
    let nodes = nodes.map { address in
      var node = StoreEndpoint(address: address, username: username, password: password?.value, tls: tls)
      node.passwordFile = passwordFile.map { LoginFile($0, text: password?.value ?? "") }
      return node
    }
    return SentinelGroup(master: master, nodes: nodes)
  }
}
