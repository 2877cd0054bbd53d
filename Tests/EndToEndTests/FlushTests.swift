import TestSupport
import Testing

@Suite("Commands that empty a store")
struct FlushTests {
  @Test(arguments: MigrationState.allCases)
  func `they are refused in every state, with the name of the setting`(_ state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    #expect(try client.command("SET", "k", "v") == .ok)
    for command in [["FLUSHALL"], ["FLUSHDB"], ["flushall", "ASYNC"]] {
      let refusal = try client.command(command).errorText
      #expect(refusal?.hasPrefix("ERR MultiStore: 'flush") == true && refusal?.contains("allow_flush: true") == true)
    }
    // In its place among the other replies, and nothing else of the pipeline is refused with it.
    let replies = try client.pipeline([["GET", "k"], ["FLUSHDB"], ["APPEND", "k", "w"]])
    #expect(replies[0] == .text("v") && replies[1].errorText?.contains("allow_flush") == true)
    #expect(replies[2] == .integer(2))
    #expect(try client.command("GET", "k") == .text("vw"))
  }

  @Test func `in a transaction they are refused when they are queued, and nothing of it is executed`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    #expect(try client.command("MULTI") == .ok)
    #expect(try client.command("SET", "k", "v") == .simple("QUEUED"))
    #expect(try client.command("FLUSHALL").errorText?.contains("allow_flush: true") == true)
    #expect(try client.command("EXEC").errorText?.hasPrefix("EXECABORT") == true)
    #expect(try client.command("EXISTS", "k") == .integer(0))
  }

  @Test func `where they are allowed both stores are emptied, in transactions too`() throws {
    let deployment = try Deployment(.dual, instance: ["allow_flush: true"])
    let client = try deployment.client()
    for flush in [[["FLUSHALL"]], [["FLUSHDB", "SYNC"]], [["MULTI"], ["FLUSHALL"], ["EXEC"]]] {
      #expect(try client.command("MSET", "a", "1", "b", "2") == .ok)
      #expect(try client.pipeline(flush).last?.errorText == nil)
      for store in [deployment.primary, deployment.secondary] {
        #expect(try store.client().command("DBSIZE") == .integer(0))
      }
    }
  }

  @Test func `an instance without a primary passes them through`() throws {
    let secondary = try RedisServer()
    let directory = try TemporaryDirectory()
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(in: directory, primary: nil, secondary: secondary.url, flagFile: false),
      in: directory
    )
    let client = try sidecar.client(instance: "sessions")
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("FLUSHALL") == .ok)
    #expect(try client.command("EXISTS", "k") == .integer(0))
  }
}
