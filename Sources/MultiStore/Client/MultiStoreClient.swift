public import CoreMetrics
internal import EventLoop
public import Logging
internal import RESP
internal import Synchronization

/// One instance of two stores for a Swift server: the same routing, copying and comparing as in the sidecar, as an
/// `async` interface.
///
/// ```swift
/// let flags = FeatureFlags(instanceName: "sessions")
/// let sessions = try MultiStoreClient(
///   configuration: MultiStoreConfiguration(
///     name: "sessions",
///     primary: .init(endpoint: StoreEndpoint(address: .tcp(host: "redis-new", port: 6379))),
///     secondary: .init(endpoint: StoreEndpoint(address: .tcp(host: "redis-old", port: 6379)))
///   ),
///   flags: flags,
///   logger: Logger(label: "sessions")
/// )
/// try await sessions.send(.set("user:1", "Ada", expiry: .seconds(3600)))
/// let name = try await sessions.send(.get("user:1", as: String.self))
/// ```
///
/// A client has one thread, which runs its event loop and its connections; any number of tasks may use it at once. It
/// is meant to live as long as the server: make one per instance. It connects in the background, and reconnects after a
/// connection was lost; until the first connection is ready, commands wait for it within the store's connect timeout.
public final class MultiStoreClient: Sendable {
  private enum Phase {
    case open
    /// The continuations are those of the calls of `close` beyond the first.
    case closing([CheckedContinuation<Void, Never>])
    case closed
  }

  private struct State {
    var phase = Phase.open
    var inFlight = 0
  }

  /// The default limit of commands in flight: more than a busy server has tasks, and few enough that a store that hangs
  /// does not fill the memory.
  public static let defaultMaxInFlightCommands = 10_000

  /// The configuration of the instance.
  public let configuration: MultiStoreConfiguration
  /// The instance's two flags. Setting them applies to the next command, pipeline or transaction.
  public let flags: FeatureFlags
  /// The state of the stores, and which one is the default.
  public let status: InstanceStatus
  /// The commands that have been sent, with their routing while dual writes are on and their hazards.
  public let inventory: CommandInventory
  /// The limit of commands in flight.
  public let maxInFlightCommands: Int

  private let loop: EventLoop
  private let thread: LoopThread
  private let core: ClientCore
  private let rejected: Counter
  private let state = Mutex(State())

  /// Starts the client's thread, and begins to connect.
  ///
  /// - Parameters:
  ///   - configuration: the stores, and how they are used.
  ///   - flags: the flags of the instance of this name, which any holder of the reference can set.
  ///   - logger: the destination of events and messages about connections.
  ///   - metricsFactory: makes the metrics; swift-metrics' global one by default.
  ///   - maxInFlightCommands: the limit of commands in flight, above 0; one more is refused with `tooManyInFlight`.
  /// - Throws: ``MultiStoreError`` with code `cannotStart` when the system has no descriptor or thread left. A store
  ///   that can't be reached is no error.
  public init(
    configuration: MultiStoreConfiguration,
    flags: FeatureFlags,
    logger: Logger,
    metricsFactory: any MetricsFactory = MetricsSystem.factory,
    maxInFlightCommands: Int = MultiStoreClient.defaultMaxInFlightCommands
  ) throws(MultiStoreError) {
    precondition(maxInFlightCommands > 0, "a client that may have no command in flight can't send any")
    precondition(
      flags.instanceName == configuration.name,
      "the flags of \(flags.instanceName) were given to the instance \(configuration.name)"
    )
    do {
      let loop = try EventLoop()
      let multiStore = MultiStore(
        on: loop,
        configuration: configuration,
        flags: flags,
        logger: logger,
        metricsFactory: metricsFactory
      )
      status = multiStore.status
      inventory = multiStore.inventory.inventory
      core = ClientCore(multiStore: multiStore, loop: loop)
      // The loop has no thread yet, so its parts may be started here.
      multiStore.start()
      thread = try LoopThread(running: loop, name: configuration.name)
      self.loop = loop
    } catch {
      throw MultiStoreError(.cannotStart, "\(error)")
    }
    self.configuration = configuration
    self.flags = flags
    self.maxInFlightCommands = maxInFlightCommands
    rejected = Counter(
      label: MultiStoreMetrics.clientRejections.name,
      dimensions: [("instance_name", configuration.name)],
      factory: metricsFactory
    )
  }

  /// Closes the client unless ``close(within:)`` did: no call is in flight any more when the last reference is
  /// released. Copies that no call waits for are sent, and their outcome is ignored.
  deinit {
    if case .open = state.withLock({ $0.phase }) { endThread() }
  }

  /// Waits for everything in flight, including copies that no call waits for, closes the connections and ends the
  /// thread. Returns when all of this is done, also to concurrent and repeated calls.
  ///
  /// - Parameter limit: commands without a reply by then fail with `outcomeUnknown`. A store that hangs can use up the
  ///   limit though every call was answered.
  public func close(within limit: Duration = .seconds(5)) async {
    let isFirst = state.withLock { state in
      guard case .open = state.phase else { return false }
      state.phase = .closing([])
      return true
    }
    guard isFirst else { return await waitUntilClosed() }
    await withCheckedContinuation { continuation in
      let core = core
      loop.execute { core.drain(within: limit) { continuation.resume() } }
    }
    endThread()
    let waiting = state.withLock { state in
      guard case .closing(let waiting) = state.phase else { preconditionFailure("closed by somebody else") }
      state.phase = .closed
      return waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Executes commands, and waits for all their replies.
  ///
  /// - Throws: ``MultiStoreError`` with code `closed`, `tooManyInFlight` or `unsupportedCommand`; nothing was sent.
  func execute(_ commands: [ClientCommand], isTransaction: Bool) async throws(MultiStoreError) -> ClientReplies {
    let count = commands.count
    if !configuration.executesFlush { try Self.refuseFlush(in: commands) }
    let result: Result<ClientReplies, MultiStoreError> = await withCheckedContinuation { continuation in
      let core = core
      let refusal = state.withLock { state -> MultiStoreError? in
        guard case .open = state.phase else { return MultiStoreError(.closed, "the client has been closed") }
        guard state.inFlight + count <= maxInFlightCommands else { return tooManyInFlight(count, state.inFlight) }
        state.inFlight += count
        // Handed over under the lock, so that the loop gets no work after `close`.
        loop.execute {
          core.execute(commands, isTransaction: isTransaction) { continuation.resume(returning: .success($0)) }
        }
        return nil
      }
      if let refusal { continuation.resume(returning: .failure(refusal)) }
    }
    let replies = try result.get()
    state.withLock { $0.inFlight -= count }
    return replies
  }

  /// Executes a function on the client's loop, and returns its result.
  ///
  /// - Throws: ``MultiStoreError`` with code `closed`; nothing was executed.
  func onLoop<Answer: Sendable>(
    _ body: @escaping @Sendable (Instance) -> Answer
  ) async throws(MultiStoreError) -> Answer {
    let result: Result<Answer, MultiStoreError> = await withCheckedContinuation { continuation in
      let core = core
      let isOpen = state.withLock { state in
        guard case .open = state.phase else { return false }
        loop.execute { continuation.resume(returning: .success(body(core.multiStore.instance))) }
        return true
      }
      guard !isOpen else { return }
      continuation.resume(returning: .failure(MultiStoreError(.closed, "the client has been closed")))
    }
    return try result.get()
  }

  private static func refuseFlush(in commands: [ClientCommand]) throws(MultiStoreError) {
    for command in commands {
      let spec = CommandTable.spec(command.id)
      guard spec.traits.contains(.empties) else { continue }
      throw MultiStoreError(
        .unsupportedCommand,
        "'\(spec.name)' would remove every key from the stores; set allowFlush in the configuration to have it executed"
      )
    }
  }

  private func tooManyInFlight(_ count: Int, _ inFlight: Int) -> MultiStoreError {
    rejected.increment(by: count)
    return MultiStoreError(
      .tooManyInFlight,
      "\(inFlight) commands are in flight and \(count) more would be over the limit of \(maxInFlightCommands); "
        + "send fewer at once, or raise maxInFlightCommands"
    )
  }

  private func waitUntilClosed() async {
    await withCheckedContinuation { continuation in
      let isClosed = state.withLock { state in
        guard case .closing(let waiting) = state.phase else { return true }
        state.phase = .closing(waiting + [continuation])
        return false
      }
      if isClosed { continuation.resume() }
    }
  }

  /// Waits for no more than the current turn of the loop: everything is answered by then.
  private func endThread() {
    let core = core
    loop.execute { core.shutDown() }
    thread.join()
    loop.close()
  }
}
