import TestSupport
import Testing

/// Several sidecars between the same two stores. Nothing orders what two of them write to one key.
@Suite("A fleet without coordination")
struct FleetTests {
  private static let settings = ["settled_checks: { rate: 200 }"]
  private static let sidecars = 4
  private static let clients = 8
  private static let rounds = 500
  /// How far apart a key may expire on the two stores: settled checks take a second for no difference.
  private static let toleratedMilliseconds = 1_000

  /// Starts more sidecars beside that of `deployment`.
  private func others(beside deployment: Deployment, _ state: MigrationState) throws -> [SidecarProcess] {
    try (1..<Self.sidecars).map { _ in
      let directory = try TemporaryDirectory()
      try directory.write(Deployment.flags(state), to: "flags.yml")
      let sidecar = try SidecarProcess(
        configuration: Deployment.configuration(
          in: directory,
          primary: deployment.primary.url,
          secondary: deployment.secondary.url,
          instance: Self.settings
        ),
        in: directory
      )
      try sidecar.waitForStores()
      return sidecar
    }
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `has the same keys on both stores soon after everybody has stopped writing`(state: MigrationState) throws {
    let deployment = try Deployment(state, instance: Self.settings)
    let fleet = try [deployment.sidecar] + others(beside: deployment, state)
    try inThreads(Self.clients) { number in
      let client = try fleet[number % fleet.count].client(instance: "sessions", limit: waitLimit)
      var writes = RandomWrites(seed: UInt64(number) + 1)
      for round in 0..<Self.rounds {
        let command = writes.next()
        if !command.contains(RandomWrites.dump) { _ = try client.command(command) }
        let (hot, value) = ("hot:\(round % 10)", "\(number).\(round)")
        _ = try client.pipeline([
          ["APPEND", "a\(hot)", value], ["LPUSH", "l\(hot)", value], ["LTRIM", "l\(hot)", "0", "20"],
          ["SET", "s\(hot)", value], ["HSET", "h\(hot)", "f", value], ["INCR", "c\(hot)"],
        ])
      }
    }
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    let difference = {
      try StoreComparison.difference(
        old: old,
        new: new,
        isComplete: true,
        toleratedMilliseconds: Self.toleratedMilliseconds
      )
    }
    #expect(try difference() != nil, "the writes of a fleet collide, or this test shows nothing")
    // It takes less than ten seconds on a calm machine: a check two seconds after the last write, and more of them
    // where it found something.
    try eventually("both stores have the same keys") { try difference() == nil }
    let found = try fleet.map { try $0.metrics().sum("multistore_settled_checks_total", ["outcome": "different"]) }
    #expect(found.reduce(0, +) > 0)
  }
}
