internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// What is on its way to the other store as a whole is settled by the copy, and no difference.
@Suite("Comparisons while keys are copied")
struct UnsettledComparisonTests {
  private static let kinds = [BatchKind.pipelined, .multi]

  /// The keys of both stores with the digests of their values.
  private func contents(_ client: RESPClient) throws -> [String: RESPReply] {
    let keys = try client.command("KEYS", "*").elements?.compactMap(\.string) ?? []
    let digests = try client.pipeline(keys.map { ["DEBUG", "DIGEST-VALUE", $0] })
    return Dictionary(uniqueKeysWithValues: zip(keys, digests))
  }

  private func settle(_ instance: Instance, _ sinks: [Sink]) throws {
    try instance.run { [database = instance.database] in
      sinks.allSatisfy(\.isDone) && database.secondary.ordinary.inFlightCount == 0
        && database.primary?.ordinary.inFlightCount == 0 && database.primary?.isWhole == true
    }
  }

  @Test(
    "A new key that is used at once by another client makes no difference",
    arguments: kinds,
    WriteAcknowledgement.allCases
  )
  func newKeys(kind: BatchKind, acknowledgement: WriteAcknowledgement) throws {
    for primaryAsDefault in [false, true] {
      let instance = try Instance(primaryAsDefault: primaryAsDefault) { $0.writeAcknowledgement = acknowledgement }
      var sinks: [Sink] = []
      for number in 0..<100 {
        let key = "k\(number)"
        sinks.append(instance.begin("RPUSH \(key) a b"))
        // Some come with the write, others when its copy is on its way already.
        if number.isMultiple(of: 3) { try instance.run { sinks[number].isDone } }
        switch number % 4 {
        case 0: sinks.append(instance.begin("EXPIRE \(key) 500", as: kind))
        case 1: sinks.append(instance.begin("LLEN \(key)", "LRANGE \(key) 0 -1", "EXISTS \(key)", as: kind))
        case 2: sinks.append(instance.begin("TYPE \(key)", "RPUSH \(key) c", "DEL \(key)", as: kind))
        default: sinks.append(instance.begin("PERSIST \(key)", "TTL \(key)", as: kind))
        }
      }
      try settle(instance, sinks)
      #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
      #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
      #expect(try contents(instance.primary) == contents(instance.secondary))
    }
  }

  @Test("What a script has changed is not compared until its keys are there", arguments: kinds)
  func scripts(kind: BatchKind) throws {
    let instance = try Instance()
    let isolated = instance.database.secondary.isolated
    try instance.run { isolated.isReady }
    var sinks: [Sink] = []
    for number in 0..<50 {
      let key = "k\(number)"
      sinks.append(instance.begin("EVAL return(redis.call('rpush',KEYS[1],'a')) 1 \(key)", over: isolated))
      try instance.run { [script = sinks[sinks.count - 1]] in script.isDone || script.output.count > 0 }
      sinks.append(instance.begin("LLEN \(key)", "EXPIRE \(key) 500", as: kind))
    }
    try settle(instance, sinks)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
  }

  @Test("A key that was being copied when the pipeline began is left out, and the others are not", arguments: kinds)
  func copiedAtTheBeginning(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.both("RPUSH l 2 1")
    try instance.secondary.command("SET", "differs", "old")
    try instance.primary.command("SET", "differs", "new")
    instance.primaryServer.pause()
    let write = instance.begin("SORT l STORE k")
    try instance.run { instance.database.primary?.isWhole == false }
    let pipeline = instance.begin("LRANGE k 0 -1", "GET differs", as: kind)
    try instance.run { instance.database.secondary.ordinary.inFlightCount == 0 }
    instance.primaryServer.resume()
    try settle(instance, [write, pipeline])
    #expect(instance.count(MultiStoreMetrics.uncomparedReplies) == 1)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 1)
    let event = try #require(instance.events("Gitlab::Redis::MultiStore::PipelinedDiffError").first)
    #expect(event["extra.first_differing_index"] == "1" && event["extra.differing_elements"] == "1")
    try instance.execute("LLEN k", "LLEN k", as: kind)
    #expect(instance.count(MultiStoreMetrics.uncomparedReplies) == 1)
  }

  /// It is counted as a failed copy and as a stale key. The key's value there is not the default store's, and no news.
  @Test("What is stale on the other store is not compared until it has been replaced", arguments: kinds)
  func stale(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.secondary.command("MSET", "k", "new", "l", "new")
    try instance.primary.command("MSET", "k", "old", "l", "old")
    instance.database.primary?.stale.insert("k")
    try instance.execute("GET k", "GETSET k newer", "GET k", as: kind)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
    #expect(instance.count(MultiStoreMetrics.uncomparedReplies) == 2)
    #expect(instance.database.primary?.stale.isEmpty == true)
    try instance.execute("GET l", "GET k", as: kind)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 1)
  }

  @Test("A key that is copied to another database is not compared there", arguments: kinds)
  func otherDatabase(kind: BatchKind) throws {
    let instance = try Instance { $0.servesOtherDatabases = true }
    var second: Database?
    instance.multiStore.select(1) { second = try? $0.get() }
    try instance.run { second?.secondary.isReady == true && second?.primary?.isReady == true }
    let database = try #require(second)
    try instance.secondary.command("SET", "k", "v")
    instance.primaryServer.pause()
    let move = instance.begin("MOVE k 1")
    try instance.run { database.primary?.isWhole == false }
    let pipeline = instance.begin("GET k", "STRLEN k", as: kind, in: database)
    try instance.run { database.secondary.ordinary.inFlightCount == 0 }
    instance.primaryServer.resume()
    try instance.run { move.isDone && pipeline.isDone && database.primary?.isWhole == true }
    #expect(pipeline.text.hasSuffix("$1|v|:1|"))
    #expect(instance.count(MultiStoreMetrics.uncomparedReplies) == 2)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
  }

  /// What watches keys has a connection of its own, so that it may have been executed before or after what the ordinary
  /// connection answers meanwhile.
  @Test("A transaction that watches is compared only when nothing went on beside it")
  func separate() throws {
    let instance = try Instance()
    try instance.both("SET n 0")
    let connection = try #require(instance.database.secondary.openDedicated())
    try instance.run { connection.isReady }
    for _ in 0..<50 {
      let beside = (0..<5).map { _ in instance.begin("INCR n") }
      let transaction = instance.begin("INCR n", "GET n", as: .multi, over: connection)
      let after = (0..<5).map { _ in instance.begin("INCR n") }
      try settle(instance, [transaction] + beside + after)
    }
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
    #expect(instance.count(MultiStoreMetrics.uncomparedReplies) ?? 0 > 0)
    let values = try [instance.primary, instance.secondary].map { try $0.command("GET", "n") }
    #expect(values == [.text("550"), .text("550")])
    let before = instance.count(MultiStoreMetrics.uncomparedReplies)
    try instance.primary.command("SET", "n", "7")
    try instance.execute("GET n", "GET n", as: .multi, over: connection)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 1, "alone it is compared")
    #expect(instance.count(MultiStoreMetrics.uncomparedReplies) == before)
    instance.database.secondary.closeDedicated(connection)
  }

  /// The other store gets the last deadline with each command, since it is asked for when all have been executed.
  @Test("A time to live that a later command of the batch changes is not compared", arguments: kinds)
  func severalDeadlines(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.both("MSET k v l v")
    try instance.execute("EXPIRE k 100", "TTL k", "EXPIRE k 500", as: kind)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
    #expect(instance.count(MultiStoreMetrics.uncomparedReplies) == 1)
    for commands in [
      ["SETEX k 100 v", "SETEX k 900 v"], ["GETEX k EX 100", "GETEX k EX 900"],
      ["EXPIRE k 100", "EXPIREAT k 4000000000"],
    ] {
      let before = instance.count(MultiStoreMetrics.uncomparedReplies) ?? 0
      try instance.execute(commands[0], "PTTL k", commands[1], "PTTL k", as: kind)
      #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
      #expect(instance.count(MultiStoreMetrics.uncomparedReplies) == before + 1)
    }
    let before = instance.count(MultiStoreMetrics.uncomparedReplies)
    try instance.execute("EXPIRE k 100", "EXPIRE l 200", "TTL k", "TTL l", "GET k", as: kind)
    #expect(instance.count(MultiStoreMetrics.uncomparedReplies) == before, "each has one")
    let deadlines = try [instance.primary, instance.secondary].map { try $0.command("PEXPIRETIME", "k") }
    #expect(deadlines[0] == deadlines[1])
  }

  /// It is executed on a connection of its own, so nobody knows whether before or after.
  @Test("What another client's script changes is not compared or sent while the script is in flight", arguments: kinds)
  func scriptInFlight(kind: BatchKind) throws {
    let instance = try Instance()
    let isolated = instance.database.secondary.isolated
    try instance.run { isolated.isReady }
    try instance.both("SET k old")
    let script = "EVAL redis.call('DEL',KEYS[1])return(redis.call('RPUSH',KEYS[1],'a')) 1 k"
    for _ in 0..<20 {
      // In flight together with the script, and executed before or after it.
      let sinks = [
        instance.begin("TYPE k", "STRLEN x", as: kind), instance.begin(script, over: isolated),
        instance.begin("TYPE k", "RPUSH k b", as: kind), instance.begin("RPUSH k c"),
        instance.begin("LRANGE k 0 -1", "SET y 1", as: kind),
      ]
      try settle(instance, sinks)
      try instance.execute("SET k old")
    }
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(try contents(instance.primary) == contents(instance.secondary))
  }
}
