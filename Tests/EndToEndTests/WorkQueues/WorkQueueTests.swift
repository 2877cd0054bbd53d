import TestSupport
import Testing

/// What job queues send, by several clients at once that make, move and remove the same keys, makes no difference
/// between the stores that is none.
@Suite("Work queues")
struct WorkQueueTests {
  private static let jobsPerClient = 40
  private static let clients = 2

  private func run(_ steps: [WorkQueueStep], _ client: RESPClient) throws {
    for step in steps {
      switch step {
      case .command(let words): try expectNoError(try client.command(words))
      case .pipeline(let commands): for reply in try client.pipeline(commands) { try expectNoError(reply) }
      case .transaction(let commands):
        let replies = try client.pipeline([["MULTI"]] + commands + [["EXEC"]])
        // Nil where a watched key was changed: the library would begin anew.
        for reply in replies.last?.elements ?? [] { try expectNoError(reply) }
        try expectNoError(try #require(replies.last))
      }
    }
  }

  /// Runs producers and workers side by side until all is done, then holds the stores against each other.
  private func run(
    _ deployment: Deployment,
    produce: @escaping @Sendable (Int, RESPClient) throws -> Void,
    work: @escaping @Sendable (Int, RESPClient) throws -> Void
  ) throws {
    try inThreads(2 * Self.clients) { number in
      let client = try deployment.client()
      if number < Self.clients { try produce(number, client) } else { try work(number, client) }
    }
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    try eventually("the stores are equal") {
      try StoreComparison.difference(old: old, new: new, isComplete: true) == nil
    }
    for kind in ["pipelined", "multi"] {
      #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": kind]) == 0)
    }
    let metrics = try deployment.sidecar.metrics()
    #expect(metrics.sum("multistore_pipelines_compared_total") > 100)
    #expect(metrics.sum("multistore_copy_failures_total") == 0)
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary], ["both", "default_store"])
  func `of RQ`(state: MigrationState, acknowledgement: String) throws {
    let deployment = try Deployment(state, instance: ["write_acknowledgement: \(acknowledgement)"])
    try run(deployment) { number, client in
      for job in 0..<Self.jobsPerClient {
        let name = "\(number)-\(job)"
        try run(RQStreams.enqueue(name), client)
        if job.isMultiple(of: 8) { try run(RQStreams.enqueueDependent("after-\(name)", on: name), client) }
      }
    } work: { number, client in
      try run(RQStreams.register("\(number)"), client)
      for _ in 0..<Self.jobsPerClient {
        try run(RQStreams.look("\(number)"), client)
        var job: String?
        try eventually("there is a job") {
          job = try client.command(RQStreams.pop).string
          return job != nil
        }
        try run(RQStreams.perform(try #require(job), "\(number)"), client)
      }
    }
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary], ["both", "default_store"])
  func `of Celery`(state: MigrationState, acknowledgement: String) throws {
    let deployment = try Deployment(state, instance: ["write_acknowledgement: \(acknowledgement)"])
    try run(deployment) { number, client in
      for task in 0..<Self.jobsPerClient { try run(CeleryStreams.publish("\(number)-\(task)"), client) }
    } work: { number, client in
      for task in 0..<Self.jobsPerClient {
        try eventually("there is a task") { try client.command(CeleryStreams.pop).elements != nil }
        try run(CeleryStreams.perform("\(number)-\(task)"), client)
      }
    }
  }
}
