import TestSupport
import Testing

@Suite("The protocol, over the wire")
struct ProtocolTests {
  @Test func `malformed input is answered as Redis answers it, and closes that client alone`() throws {
    let deployment = try Deployment()
    let bystander = try deployment.client()
    let inputs = [
      "*1\r\n+PING\r\n", "*x\r\n", "*99999999999\r\n", "*1\r\n$-5\r\n", "*1\r\n$abc\r\n", "*1\r\n$600000000\r\n",
      "*2\r\n$3\r\nGET\r\n:1\r\n", "SET k \"unbalanced\r\n", String(repeating: "x", count: 70_000),
      "*" + String(repeating: "1", count: 70_000), "*1\r\n$" + String(repeating: "1", count: 70_000),
    ]
    for input in inputs {
      let redis = try deployment.secondary.client()
      try redis.send(input)
      let expected = String(decoding: try redis.readUntilClosed(), as: UTF8.self)
      #expect(expected.hasPrefix("-ERR Protocol error: "))
      let client = try deployment.client()
      try client.send(input)
      let answer = String(decoding: try client.readUntilClosed(), as: UTF8.self)
      #expect(answer == expected, "\(input.prefix(40))")
      #expect(try bystander.command("PING") == .simple("PONG"))
    }
    let labels = ["reason": "protocol_error"]
    #expect(try deployment.metric("multistore_client_connections_closed_total", labels) == Double(inputs.count))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `what came before malformed input is executed and answered first`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    try client.send(
      RESPClient.encode(["SET", "k", "v"]) + RESPClient.encode(["GET", "k"]) + Array("*1\r\n!\r\n".utf8)
    )
    let answer = String(decoding: try client.readUntilClosed(), as: UTF8.self)
    #expect(answer == "+OK\r\n$1\r\nv\r\n-ERR Protocol error: expected '$', got '!'\r\n")
  }

  /// A server closes the connection that they come on, which would be one that all clients share.
  @Test(arguments: MigrationState.allCases)
  func `what a browser can be made to say closes that client alone`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let bystander = try deployment.client()
    #expect(try bystander.command("EVAL", "return 1", "0") == .integer(1))
    for input in ["POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "host: x\r\n", "*2\r\n$4\r\npost\r\n$1\r\nx\r\n"] {
      let client = try deployment.client()
      try client.send(RESPClient.encode(["SET", "k", "v"]) + RESPClient.encode(["MULTI"]) + Array(input.utf8))
      #expect(String(decoding: try client.readUntilClosed(), as: UTF8.self) == "+OK\r\n+OK\r\n")
      let redis = try deployment.defaultStore(state).client()
      try redis.send(input)
      #expect(try redis.readUntilClosed().isEmpty)
      #expect(try bystander.command("EVAL", "return 1", "0") == .integer(1))
    }
    #expect(try deployment.metric("multistore_client_connections_closed_total", ["reason": "protocol_error"]) == 3)
    #expect(try deployment.sidecar.metrics().sum("multistore_store_connection_failures_total") == 0)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `input may be split at every byte`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let other = try deployment.client()
    let client = try deployment.client()
    let bytes =
      RESPClient.encode(["SET", "k", "a\r\n$5\r\nb"]) + RESPClient.encode(["GET", "k"]) + Array("PING x\r\n".utf8)
    for split in 1..<bytes.count {
      try client.send(Array(bytes[..<split]))
      // Another client's reply: by now the first piece has been read by itself.
      try other.command("PING")
      try client.send(Array(bytes[split...]))
      #expect(try client.readReplies(3) == [.ok, .text("a\r\n$5\r\nb"), .text("x")], "split at \(split)")
    }
    for byte in bytes { try client.send([byte]) }
    #expect(try client.readReplies(3) == [.ok, .text("a\r\n$5\r\nb"), .text("x")])
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `commands may be typed in`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    try client.send("\r\nSET k \"a \\x41\\n\"\r\n  get k \nPING 'it''s'\r\n")
    #expect(try client.readReplies(2) == [.ok, .text("a A\n")])
    #expect(
      try String(decoding: client.readUntilClosed(), as: UTF8.self)
        == "-ERR Protocol error: unbalanced quotes in request\r\n"
    )
    #expect(try deployment.secondary.client().command("GET", "k") == .text("a A\n"))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `large values of any bytes come through whole`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    var generator = SystemRandomNumberGenerator()
    var value: [UInt8] = []
    while value.count < 8 << 20 { withUnsafeBytes(of: generator.next()) { value += $0 } }
    let key: [UInt8] = [0, 13, 10, 255, 36]
    #expect(try client.command(bytes: [Array("SET".utf8), key, value]) == .ok)
    let get = [Array("GET".utf8), key]
    for source in [client, try deployment.secondary.client()] + (state.isDual ? [try deployment.primary.client()] : [])
    {
      // Not shown when it fails: that would be eight million bytes.
      let isSame = try source.command(bytes: get) == .bulk(value)
      #expect(isSame)
    }
    let replies = try client.pipeline([["SET", "s", "1"], ["STRLEN", "s"]])
    #expect(replies == [.ok, .integer(1)])
  }

  /// Large ones go another way than small ones: in their own memory, and waiting for sockets.
  @Test(arguments: MigrationState.allCases)
  func `small and large commands of one pipeline keep their order`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client(limit: .seconds(60))
    let sizes = [10, 70_000, 65_536, 3_000_000, 5, 200_000, 200_000, 100_000, 1_000_000, 64 << 10, 1]
    var commands: [[String]] = []
    for (index, size) in sizes.enumerated() {
      let value = String(repeating: "\(index)", count: size)
      commands += [["APPEND", "all", value], ["SETEX", "key:\(index)", "1000", value], ["STRLEN", "all"]]
    }
    commands += [["MULTI"], ["SET", "a", String(repeating: "a", count: 300_000)], ["STRLEN", "a"], ["EXEC"]]
    commands += [["CLIENT", "REPLY", "SKIP"], ["SET", "b", String(repeating: "b", count: 300_000)], ["STRLEN", "b"]]
    let reference = try RedisServer()
    let alone = try reference.client(limit: .seconds(60))
    for target in [alone, client] {
      try target.send(commands.flatMap { RESPClient.encode($0) }, within: .seconds(60))
    }
    let expected = try alone.readReplies(commands.count - 2)
    #expect(try client.readReplies(commands.count - 2) == expected)
    let stores = state.isDual ? [deployment.primary, deployment.secondary] : [deployment.defaultStore(state)]
    for store in stores {
      let store = try store.client()
      for key in ["all", "a", "b"] + sizes.indices.map({ "key:\($0)" }) {
        let isSame = try store.command("GET", key) == alone.command("GET", key)
        #expect(isSame, "\(key)")
      }
    }
    #expect(try deployment.sidecar.metrics().sum("multistore_copy_failures_total") == 0)
  }

  @Test func `an argument beyond max_bulk_bytes and a command beyond max_arguments are refused`() throws {
    let deployment = try Deployment(instance: ["max_bulk_bytes: 1KiB", "max_arguments: 16"])
    let client = try deployment.client()
    #expect(try client.command("SET", "k", String(repeating: "x", count: 1024)) == .ok)
    try client.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1025\r\n")
    #expect(try client.readReply() == .error("ERR Protocol error: invalid bulk length"))
    #expect(try client.readUntilClosed() == [])
    let other = try deployment.client()
    #expect(try other.command(["DEL"] + (0..<15).map(String.init)) == .integer(0))
    try other.send("*17\r\n")
    #expect(try other.readReply() == .error("ERR Protocol error: invalid multibulk length"))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `a client that hangs up after its commands has them executed and answered`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    try client.send((0..<100).flatMap { _ in RESPClient.encode(["INCR", "n"]) })
    client.shutdownWrites()
    #expect(try client.readReplies(100) == (1...100).map { .integer($0) })
    #expect(try client.readUntilClosed() == [])
  }

  @Test func `wrong numbers of arguments and unknown commands are told as Redis tells them`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let redis = try deployment.secondary.client()
    for command in [
      ["GET"], ["get", "a", "b"], ["SET", "k"], ["MSET", "a"], ["PING", "a", "b"], ["ECHO"], ["HSET", "h", "f"],
    ] {
      #expect(try client.command(command) == redis.command(command), "\(command)")
    }
    #expect(try client.command("NOSUCH", "x") == redis.command("NOSUCH", "x"))
  }
}
