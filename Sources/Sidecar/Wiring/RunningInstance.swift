internal import EventLoop
internal import HTTPServer
internal import Logging
internal import MultiStore
internal import PrometheusExposition
internal import Proxy

/// An instance that listens, with its thread and the file of its stale keys. Confined to the thread that starts it.
struct RunningInstance {
  /// The time limit on writing the stale keys, and the record of the clean stop, after the instance has ended.
  private static let journalDeadline = Duration.seconds(2)

  let configuration: InstanceConfiguration
  let flags: FeatureFlags
  let server: InstanceServer
  /// The loop that ``thread`` runs.
  let loop: EventLoop
  /// Nil if the instance has no file of stale keys.
  let journal: StalenessJournal?
  private let thread: LoopThread

  /// Opens the file, listens, and begins to serve clients.
  ///
  /// - Throws: ``SidecarStartError``, which names the instance. Nothing of it is left then.
  init(
    _ instance: InstanceConfiguration,
    flags: FeatureFlags,
    stateDirectory: String?,
    memory: MemoryBudget,
    registry: PrometheusRegistry,
    logger: Logger
  ) throws(SidecarStartError) {
    configuration = instance
    self.flags = flags
    do {
      loop = try EventLoop()
      let stale = stateDirectory.map {
        StalenessJournal.open(instance: instance.name, stores: instance.storePlaces, in: $0, logger: logger)
      }
      journal = stale?.journal
      let multiStore = MultiStore(
        on: loop,
        configuration: instance.multiStore,
        flags: flags,
        logger: logger,
        metricsFactory: registry,
        memory: stale.map { StalenessMemory(snapshot: $0.snapshot, recorder: $0.journal) }
      )
      server = InstanceServer(
        on: loop,
        multiStore: multiStore,
        limits: instance.serverLimits,
        credentials: instance.credentials,
        metrics: ClientMetrics(instance: instance.name, maxClients: instance.limits.maxClients, registry: registry),
        memory: memory,
        logger: logger
      )
      thread = try Self.listen(server, as: instance, on: loop, journal, logger)
    } catch let error as ListenError {
      throw SidecarStartError("instance \(instance.name): \(error); change its `listen`")
    } catch {
      throw SidecarStartError("instance \(instance.name): \(error)")
    }
  }

  /// Listens, and starts the thread. An instance that can't be started has served no clients, so its journal records a
  /// clean stop.
  private static func listen(
    _ server: InstanceServer,
    as instance: InstanceConfiguration,
    on loop: EventLoop,
    _ journal: StalenessJournal?,
    _ logger: Logger
  ) throws -> LoopThread {
    do {
      // The loop has no thread yet, so its parts may be set up here.
      let addresses = try server.start(listeningOn: instance.entrances)
      let thread = try LoopThread(running: loop, name: instance.name)
      for (address, configured) in zip(addresses, instance.listen) {
        let shown = ListenAddress(address, usesTLS: configured.usesTLS)
        let metadata: Logger.Metadata = ["listener": "instance:\(instance.name)", "address": "\(shown)"]
        logger.notice("listening", metadata: metadata)
      }
      return thread
    } catch {
      server.close()
      loop.close()
      journal?.close(deadline: journalDeadline)
      throw error
    }
  }

  /// The way to the instance from other threads.
  var access: InstanceAccess {
    let (server, loop) = (server, loop)
    return InstanceAccess(status: server.multiStore.status) { work in
      loop.execute { work(server.multiStore.instance) }
    }
  }

  /// Cuts off what is in flight, and makes the thread end.
  func stop() {
    let (server, loop) = (server, loop)
    loop.execute {
      server.close()
      loop.stop()
    }
  }

  /// Waits for the end of the thread, and records the clean stop.
  func join() {
    thread.join()
    journal?.close(deadline: Self.journalDeadline)
  }
}
