import EventLoop
import Logging
import MultiStore
import PrometheusExposition

@testable import Sidecar

/// A running instance, `a`, whose stores are not there, with what a process before it knew of outdated keys.
final class InstanceFixture: Sendable {
  let access: InstanceAccess
  let flags = FeatureFlags(instanceName: "a")
  private let loop: EventLoop
  private let thread: LoopThread
  private let multiStore: Confined

  /// The instance, which belongs to its loop.
  private struct Confined: @unchecked Sendable {
    let multiStore: MultiStore
  }

  private final class Recorder: StalenessRecorder {
    func append(_ change: StalenessChange) {}
  }

  init(
    staleKeys: [StoreRole: [StaleKey]] = [:],
    trust: [StoreRole: StoreTrust] = [:],
    hasPrimary: Bool = true
  ) throws {
    let primary = hasPrimary ? "primary: { url: \"unix:///nowhere/primary.sock\" }" : ""
    let settings = try configuration(
      """
      instances:
        - name: a
          listen: unix:/nowhere/a.sock
          secondary: { url: "unix:///nowhere/secondary.sock" }
          \(primary)
      """
    )
    var snapshot = StalenessSnapshot()
    snapshot.staleKeys = staleKeys
    snapshot.trust = trust
    let loop = try EventLoop()
    let multiStore = Confined(
      multiStore: MultiStore(
        on: loop,
        configuration: settings.instances[0].multiStore,
        flags: flags,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        metricsFactory: PrometheusRegistry(describing: SidecarMetrics.all),
        memory: StalenessMemory(snapshot: snapshot, recorder: Recorder())
      )
    )
    // The loop has no thread yet.
    multiStore.multiStore.start()
    access = InstanceAccess(status: multiStore.multiStore.status) { work in
      loop.execute { work(multiStore.multiStore.instance) }
    }
    thread = try LoopThread(running: loop, name: "a")
    self.loop = loop
    self.multiStore = multiStore
  }

  deinit {
    let (multiStore, loop) = (multiStore, loop)
    loop.execute {
      multiStore.multiStore.close()
      loop.stop()
    }
    thread.join()
    loop.close()
  }
}

extension StaleKey {
  /// A key that became stale at so many milliseconds.
  init(_ key: String, at milliseconds: Int64, _ reason: StaleReason = .timeout) {
    self.init(key: Array(key.utf8), database: 0, sinceMilliseconds: milliseconds, reason: reason)
  }
}
