import MultiStore
import TestSupport
import Testing

@Suite("Client: pipelines and transactions")
struct ClientPipelineTests {
  private static let diffs = "gitlab_redis_multi_store_pipelined_diff_error_total"

  @Test(arguments: [false, true]) func `replies come in the order of the commands`(dual: Bool) async throws {
    let harness = try await ClientHarness(dual: dual)
    let replies = try await harness.client.pipelined { pipeline in
      pipeline.append(.set("a", 1))
      pipeline.append("INCRBY", "a", 41)
      pipeline.append(.hget("a", "field"))
      pipeline.append(.get("absent"))
      pipeline.append(.mget("a"))
      #expect(pipeline.count == 5)
    }
    #expect(replies.count == 5)
    #expect(replies[0] == .status("OK"))
    #expect(replies[1] == .integer(42))
    #expect(replies[2] == .error("WRONGTYPE Operation against a key holding the wrong kind of value"))
    #expect(replies[3] == .null)
    #expect(replies[4] == .array([.string(Array("42".utf8))]))
    #expect(try harness.ask(.primary, "GET", "a") == (dual ? .text("42") : .null))
    #expect(harness.count(Self.diffs) == 0)
    await harness.client.close()
  }

  @Test func `typed commands give typed values`() async throws {
    let harness = try await ClientHarness(dual: true)
    let (wasSet, visits, name) = try await harness.client.pipelined(
      .set("n", "Ada"),
      .incr("v"),
      .get("n", as: String.self)
    )
    #expect(wasSet)
    #expect(visits == 1)
    #expect(name == "Ada")
    let (more, all) = try await harness.client.multi(.rpush("l", "x", "y"), .lrange("l", as: String.self))
    #expect(more == 2)
    #expect(all == ["x", "y"])
    let failed = await code { () throws(MultiStoreError) in
      _ = try await harness.client.pipelined(.incr("n"), .set("after", "done"))
    }
    #expect(failed == .errorReply)
    #expect(try harness.ask(.primary, "GET", "after") == .text("done"))
    await harness.client.close()
  }

  @Test func `a difference is counted and told`() async throws {
    let harness = try await ClientHarness(dual: true)
    // The first write of this kind loads the script that guards them, and copies a whole key meanwhile.
    try await harness.client.send(.incr("first"))
    _ = try harness.ask(.primary, "SET", "n", "10")
    _ = try harness.ask(.secondary, "SET", "n", "20")
    let pipelined = try await harness.client.pipelined(.incr("n"), .get("n", as: String.self))
    #expect(pipelined.0 == 21)
    #expect(pipelined.1 == "21")
    let transaction = try await harness.client.multi { $0.append(.incr("n")) }
    #expect(transaction == [.integer(22)])
    #expect(harness.count(Self.diffs, ("command", "pipelined")) == 1)
    #expect(harness.count(Self.diffs, ("command", "multi")) == 1)
    #expect(harness.events("PipelinedDiffError") == ["pipelined", "multi"])
    #expect(try harness.ask(.primary, "GET", "n") == .text("12"))
    await harness.client.close()
  }

  @Test func `a script divides a pipeline, and the order stays`() async throws {
    let harness = try await ClientHarness(dual: true)
    let replies = try await harness.client.pipelined { pipeline in
      pipeline.append(.rpush("l", "a"))
      pipeline.append(.rpush("l", "b"))
      pipeline.append(.eval("return redis.call('LLEN', KEYS[1])", keys: ["l"]))
      pipeline.append("CONFIG", "GET", "no-such-setting")
      pipeline.append(.rpush("l", "c"))
      pipeline.append(.blpop("l", timeout: .seconds(5)))
    }
    let popped = RESPValue.array([.string(Array("l".utf8)), .string(Array("a".utf8))])
    #expect(replies == [.integer(1), .integer(2), .integer(2), .array([]), .integer(3), popped])
    await harness.client.close()
  }

  @Test(arguments: [false, true]) func `a transaction is one`(dual: Bool) async throws {
    let harness = try await ClientHarness(dual: dual)
    let client = harness.client
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<20 {
        group.addTask {
          let replies = try await client.multi { pipeline in
            for _ in 0..<10 { pipeline.append(.rpush("l", task)) }
          }
          #expect(replies.count == 10)
        }
      }
      try await group.waitForAll()
    }
    for role in dual ? StoreRole.allCases : [.secondary] {
      let elements = try #require(try harness.ask(role, "LRANGE", "l", "0", "-1").elements)
      #expect(elements.count == 200)
      for start in stride(from: 0, to: elements.count, by: 10) {
        #expect(Set(elements[start..<start + 10]).count == 1)
      }
    }
    await client.close()
  }

  @Test func `a transaction that the store refuses throws, and neither store has any of it`() async throws {
    let harness = try await ClientHarness(dual: true)
    do {
      // Valkey's command, which a Redis server does not know.
      _ = try await harness.client.multi {
        $0.append(.set("k", "v"))
        $0.append("DELIFEQ", "k", "v")
      }
      Issue.record("Redis took DELIFEQ")
    } catch {
      #expect(error.code == .errorReply)
      #expect(error.message.hasPrefix("EXECABORT"))
    }
    #expect(try harness.ask(.primary, "EXISTS", "k") == .integer(0))
    #expect(try harness.ask(.secondary, "EXISTS", "k") == .integer(0))
    await harness.client.close()
  }

  @Test func `an error inside of a transaction is an element of its replies`() async throws {
    let harness = try await ClientHarness(dual: true)
    let replies = try await harness.client.multi {
      $0.append(.set("k", "text"))
      $0.append(.incr("k"))
      $0.append(.strlen("k"))
    }
    #expect(replies == [.status("OK"), .error("ERR value is not an integer or out of range"), .integer(4)])
    #expect(try harness.ask(.primary, "GET", "k") == .text("text"))
    await harness.client.close()
  }

  @Test func `nothing at all is sent for nothing`() async throws {
    let harness = try await ClientHarness(dual: true)
    #expect(try await harness.client.pipelined { _ in } == [])
    #expect(try await harness.client.multi { _ in } == [])
    #expect(CommandPipeline().isEmpty)
    #expect(try harness.commandsSeen(by: .secondary).isDisjoint(with: ["multi", "exec"]))
    await harness.client.close()
  }
}
