import Foundation
import Synchronization
import TestSupport

/// Runs one case: clients work, the fault comes and goes, and both stores are compared.
public struct FaultRun: Sendable {
  /// How long clients work before the fault, and after it.
  private static let calm = Duration.seconds(1)
  private static let clientCount = 6
  private static let recoveryLimit = Duration.seconds(60)

  /// How long the fault lasts.
  let duration: Duration
  /// The instance's `other_store_timeout`; the sidecar's default if nil.
  let otherStoreTimeout: Duration?

  /// Settings of a run.
  public init(duration: Duration, otherStoreTimeout: Duration? = nil) {
    self.duration = duration
    self.otherStoreTimeout = otherStoreTimeout
  }

  /// Runs a case; takes two seconds more than the fault and the recovery from it.
  ///
  /// - Throws: ``TestSupportError`` when servers or sidecar can't be run, or when there is no recovery.
  public func run(_ item: FaultCase) throws -> FaultResult {
    let site = try FaultSite(item, otherStoreTimeout: otherStoreTimeout)
    let observations = Observations()
    let begin = ContinuousClock.now
    let clients = try (0..<Self.clientCount).map { number in
      try WorkingClient(
        number: number,
        address: site.address,
        stores: site.earlierStores.map(\.address),
        observations: observations,
        pausesSince: item.fault.needsPauses ? begin : nil
      )
    }
    let controlServer = try RedisServer()
    let controlObservations = Observations()
    let control = try WorkingClient(
      number: 0,
      address: controlServer.address,
      stores: [controlServer.address],
      observations: controlObservations,
      pausesSince: nil
    )
    pause(for: Self.calm)
    let faultBegan = ContinuousClock.now
    try item.fault.apply(to: site, for: duration)
    let faultEnded = ContinuousClock.now
    let recovery = try timeOfRecovery(at: site, since: faultEnded)
    pause(for: Self.calm)
    var oracles = try clients.map { try $0.stop() }
    _ = try control.stop()
    try waitForCopies(at: site)
    let staleKeys = try site.staleKeys()
    try waitForHealing(at: site)
    let written = oracles.reduce(into: Set()) { $0.formUnion($1.writtenKeys) }
    let differing = try StoreContents(of: site.defaultStore).differingKeys(from: StoreContents(of: site.otherStore))
    try readEverything(&oracles, at: site, observations)

    let record = observations.all
    let firstTimeout = otherStoreTimeout ?? .seconds(1)
    let settled = faultBegan + firstTimeout + Observations.Record.interval
    return FaultResult(
      item: item,
      commands: record.commands,
      errors: record.errors,
      wrongAnswers: record.wrongAnswers,
      longestWait: record.longestWait(since: faultBegan),
      longestWaitOfControl: controlObservations.all.longestWait(since: faultBegan),
      unserved: record.unserved(from: faultBegan, to: faultEnded),
      unservedAfterFirstTimeout: record.unserved(from: settled, to: faultEnded),
      recovery: recovery,
      keys: written.count,
      differingKeys: differing.filter { written.contains($0) },
      healedKeys: staleKeys
    )
  }

  /// The time until a write is acknowledged and on both stores.
  private func timeOfRecovery(at site: FaultSite, since start: ContinuousClock.Instant) throws -> Duration {
    var serial = 0
    try eventually("a write is on both stores", within: Self.recoveryLimit) {
      serial += 1
      let key = "probe:\(serial)"
      guard try RESPClient(site.address).command("SET", key, "v") == .ok else { return false }
      // Copies linger for two milliseconds at most where nobody waits for them.
      pause(for: .milliseconds(5))
      return try [site.defaultStore, site.otherStore].allSatisfy { store in
        try store.client(limit: .seconds(1)).command("GET", key) == .text("v")
      }
    }
    return .now - start
  }

  /// Waits until the copies of what was acknowledged have ended too.
  private func waitForCopies(at site: FaultSite) throws {
    var last: [String]?
    try eventually("both stores stand still", within: Self.recoveryLimit) {
      guard try site.commandsInFlight() == 0 else { return false }
      let differing = try StoreContents(of: site.defaultStore).differingKeys(from: StoreContents(of: site.otherStore))
      defer { last = differing }
      if differing == last { return true }
      pause(for: .milliseconds(200))
      return false
    }
  }

  /// Waits until no key is stale any more. Nothing is written meanwhile.
  private func waitForHealing(at site: FaultSite) throws {
    try eventually("all stale keys have healed", within: Self.recoveryLimit) { try site.staleKeys() == 0 }
  }

  /// Reads every key through the sidecar, and judges what it says.
  private func readEverything(_ oracles: inout [Oracle], at site: FaultSite, _ observations: Observations) throws {
    let client = try RESPClient(site.address)
    for index in oracles.indices {
      for command in oracles[index].reads {
        let reply = try client.command(command)
        if let error = reply.errorText {
          observations.noteError(error)
        } else if let problem = oracles[index].judge(command, reply) {
          observations.change { $0.wrongAnswers.append("afterwards \(problem)") }
        }
      }
    }
  }
}
