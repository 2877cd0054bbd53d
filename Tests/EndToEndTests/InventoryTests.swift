import TestSupport
import Testing

@Suite("Inventory of a running sidecar")
struct InventoryTests {
  /// One of each way that a command can go, as a client would send them.
  private static let commands: [[String]] = [
    ["SET", "k", "v"], ["GET", "k"], ["GET", "k"], ["RPUSH", "l", "a", "b"], ["SORT", "l", "ALPHA"],
    ["SORT", "l", "ALPHA", "STORE", "m"], ["EVAL", "return 1", "0"], ["BLPOP", "l", "1"], ["CONFIG", "GET", "port"],
    ["MADE-UP"], ["SCAN", "0"], ["PING"], ["SYNC"], ["WATCH", "k"], ["MULTI"], ["INCR", "n"], ["GET", "k"],
    ["EXEC"],
  ]
  private static let counts = [
    "set": 1.0, "get": 3, "rpush": 1, "sort": 2, "eval": 1, "blpop": 1, "config|get": 1, "other": 1, "scan": 1,
    "ping": 1, "sync": 1, "watch": 1, "multi": 1, "incr": 1, "exec": 1,
  ]

  @Test(arguments: MigrationState.allCases)
  func `every command is counted once in every state, whichever way it goes`(_ state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    for command in Self.commands { _ = try client.command(command) }
    // Not commands that were executed: their form is wrong.
    #expect(try client.command("GET").errorText?.contains("wrong number of arguments") == true)
    try eventually("the inventory has all of them") {
      try Self.counts(in: deployment.inventory()) == Self.counts
    }
    let commands = try deployment.inventory()
    let eval = try #require(commands.first { $0["command"]?.string == "eval" })
    #expect(eval["routing"]?.string == "dual_written" && eval["hazard"]?.string == "script_without_keys")
    #expect(eval["hazard_description"]?.string?.contains("name all its keys") == true)
    #expect(Set(commands.filter { $0["command"]?.string == "sort" }.map { $0["routing"]?.string }).count == 2)
    let labels = ["command": "get", "routing": "read_with_fallback", "hazard": "none"]
    #expect(try deployment.metric("multistore_inventory_commands_total", labels) == 3)
    #expect(try deployment.sidecar.metrics().sum("multistore_inventory_commands_total") == Double(Self.commands.count))
  }

  @Test func `commands that wait for their turn in a pipeline are counted once`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let count = 2500
    let pipeline = (0..<count).map { $0.isMultiple(of: 500) ? ["PING"] : ["SET", "k\($0)", "v"] }
    #expect(try client.pipeline(pipeline).count == count)
    try eventually("the inventory has all of them") {
      try Self.counts(in: deployment.inventory()) == ["set": 2495, "ping": 5]
    }
  }

  @Test func `a client that has not logged in is not counted`() throws {
    let deployment = try Deployment(instance: ["password: secret"])
    let client = try deployment.client()
    #expect(try client.command("GET", "k").errorText?.hasPrefix("NOAUTH") == true)
    #expect(try client.command("AUTH", "secret") == .ok)
    #expect(try client.command("STRLEN", "k") == .integer(0))
    try eventually("the inventory has what came after") {
      try Self.counts(in: deployment.inventory()) == ["strlen": 1]
    }
  }

  @Test func `the command line shows a table with the hazards first, or JSON`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    for command in Self.commands { _ = try client.command(command) }
    try eventually("the inventory has all of them") {
      try Self.counts(in: deployment.inventory()) == Self.counts
    }
    let admin = "--admin.listen-address=unix:\(deployment.sidecar.directory.path("admin.sock"))"
    let table = try SidecarProcess.run(["inventory", admin])
    #expect(table.exit == .status(0))
    let lines = table.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0] == "sessions")
    #expect(lines[1].split(separator: " ").prefix(4) == ["COMMAND", "COUNT", "ROUTING", "HAZARD"])
    #expect(lines[2].hasPrefix("other ") && lines[3].hasPrefix("sync "))
    let column = try #require(lines[1].firstRange(of: "HAZARD")).lowerBound.utf16Offset(in: lines[1])
    let hazards = lines[2..<18].map { String($0.dropFirst(column).prefix { $0 != " " }) }
    #expect(hazards.prefix(8).allSatisfy { $0 != "-" } && hazards.dropFirst(8).allSatisfy { $0 == "-" })
    #expect(table.output.contains("\nunknown_command: No server knows this name"))
    let json = try SidecarProcess.run(["inventory", "--instance", "sessions", "--format", "json", admin])
    #expect(try Self.counts(in: Self.commands(in: json.output)) == Self.counts)
    let unknown = try SidecarProcess.run(["inventory", "--instance", "nobody", admin])
    #expect(unknown.exit == .status(1) && unknown.errors.contains("sessions"))
    #expect(try SidecarProcess.run(["inventory", "--format", "xml", admin]).exit == .status(64))
    let nobody = "--admin.listen-address=unix:\(deployment.sidecar.directory.path("nobody.sock"))"
    #expect(try SidecarProcess.run(["inventory", nobody]).exit == .status(2))
  }

  @Test func `it asks for the admin API's token, and is not on the scraped port`() throws {
    let directory = try TemporaryDirectory()
    let token = try directory.write("s3cret-token\n", to: "token")
    let deployment = try Deployment(top: ["admin: { token_file: \"\(token)\" }"])
    #expect(try deployment.sidecar.admin("GET", "/api/v4/inventory").status == 401)
    let admin = "--admin.listen-address=unix:\(deployment.sidecar.directory.path("admin.sock"))"
    #expect(try SidecarProcess.run(["inventory", admin]).exit == .status(1))
    let told = try SidecarProcess.run(["inventory", admin, "--admin.token-file=\(token)"])
    #expect(told.exit == .status(0) && told.output == "sessions\nno command has been seen yet\n")
    #expect(try deployment.sidecar.get("/api/v4/inventory").status == 404)
  }

  private static func commands(in json: String) throws -> [JSONValue] {
    let instances = try #require(try JSONValue(parsing: json)["instances"]?.elements)
    return try #require(instances.first?["commands"]?.elements)
  }

  /// The sum of a command's counts, by its name.
  private static func counts(in commands: [JSONValue]) -> [String: Double] {
    let pairs = commands.map { ($0["command"]?.string ?? "", $0["count"]?.number ?? 0) }
    return Dictionary(pairs, uniquingKeysWith: +)
  }
}

extension Deployment {
  /// The commands of the admin API's inventory.
  func inventory() throws -> [JSONValue] {
    let answer = try sidecar.admin("GET", "/api/v4/inventory?instance=sessions")
    let instances = try #require(try JSONValue(parsing: answer.text)["instances"]?.elements)
    return try #require(instances.first?["commands"]?.elements)
  }
}
