internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("The effect of a command on the other store")
struct CopyTableTests {
  @Test(
    "A command's effect is copied alike alone, in a pipeline or a transaction, blocked, and from a script",
    arguments: copyTable
  )
  func outcome(of row: CopyCase) throws {
    for way in Way.allCases {
      guard let line = row.lines[way] else { continue }
      let instance = try Instance()
      for line in row.defaultStore { try instance.secondary.command(words(line)) }
      for line in row.otherStore { try instance.primary.command(words(line)) }
      let primary = try #require(instance.database.primary)
      if row.isStale { primary.stale.insert("k") }
      let execution = CopyExecution(instance, way, line, pushing: row.pushed)
      try execution.run(amid: row.disturbance)
      #expect(try outcome(on: instance, row.outcome.isSame != nil) == row.outcome, "\(way): \(line)")
    }
  }

  private func outcome(on instance: Instance, _ canBeCompared: Bool) throws -> CopyOutcome {
    let counts = CopyFailureReason.allCases.map {
      ($0.rawValue, instance.count(MultiStoreMetrics.copyFailures, ["reason": $0.rawValue]) ?? -1)
    }
    var outcome = CopyOutcome(isSame: nil)
    if canBeCompared {
      let states = try [instance.primary, instance.secondary].map { client in
        [try client.command("DEBUG", "DIGEST-VALUE", "k"), try client.command("PEXPIRETIME", "k")]
      }
      outcome.isSame = states[0] == states[1]
    }
    outcome.isStale = instance.database.primary?.stale.isEmpty == false
    outcome.failures = Dictionary(uniqueKeysWithValues: counts).filter { $0.value != 0 }
    outcome.keyCopies = instance.count(MultiStoreMetrics.keyCopies) ?? -1
    outcome.uncopied = instance.count(MultiStoreMetrics.uncopiedWrites) ?? -1
    return outcome
  }
}

/// Executes a line the way that a row of the table names.
private final class CopyExecution {
  private let instance: Instance
  private let way: Way
  private let line: String
  private let pushed: String
  /// The connection of a blocking command's own.
  private var connection: HiredisConnection?

  init(_ instance: Instance, _ way: Way, _ line: String, pushing pushed: String) {
    self.instance = instance
    self.way = way
    self.line = line
    self.pushed = pushed
  }

  deinit {
    if let connection { instance.database.secondary.closeDedicated(connection) }
  }

  func run(amid disturbance: Disturbance) throws {
    let database = instance.database
    switch disturbance {
    case .none:
      try finish(begin())
    case .otherStoreDown:
      try instance.takeDown(.primary)
      try finish(begin())
    case .refused(let rules):
      try instance.primary.command(["ACL", "SETUSER", "default"] + words(rules))
      try finish(begin())
    case .copyLost:
      instance.primaryServer.pause()
      let sink = try begin()
      let primary = try #require(database.primary)
      try instance.run { primary.ordinary.inFlightCount > 0 }
      instance.primaryServer.kill()
      try instance.run { sink.isDone }
    case .outcomeUnknown:
      if way == .script { try instance.run { database.secondary.isolated.isReady } }
      if way != .blocked { instance.secondaryServer.pause() }
      let sink = try begin(isPushing: false)
      try instance.run { [connection] in
        database.secondary.inFlightCount > 0 || connection?.inFlightCount == 1
      }
      instance.secondaryServer.kill()
      try instance.run { sink.isDone }
    }
  }

  private func finish(_ sink: Sink) throws {
    try instance.run { sink.isDone }
  }

  private func begin(isPushing: Bool = true) throws -> Sink {
    switch way {
    case .alone, .script: return instance.begin(line)
    case .pipeline: return instance.begin("GET filler", line, as: .pipelined)
    case .transaction: return instance.begin("GET filler", line, as: .multi)
    case .served: return try beginBlocking()
    case .blocked:
      let sink = try beginBlocking()
      try instance.run { [connection] in connection?.inFlightCount == 1 }
      if isPushing { try instance.secondary.command(words(pushed)) }
      return sink
    }
  }

  private func beginBlocking() throws -> Sink {
    let connection = try #require(instance.database.secondary.openDedicated())
    self.connection = connection
    try instance.run { connection.isReady }
    return try instance.beginBlocking(line, over: connection)
  }
}
