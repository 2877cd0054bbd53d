import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("The tests' own tools")
struct TestSupportTests {
  @Test func `a server answers, keeps values, and forgets them when it is restarted`() throws {
    let server = try RedisServer()
    let client = try server.client()
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("GET", "k") == .text("v"))
    #expect(try client.command("LRANGE", "none", "0", "-1") == .array([]))
    #expect(try client.command("NOSUCH").errorText?.hasPrefix("ERR unknown command") == true)
    try server.restart()
    #expect(throws: TestSupportError.self) { try client.command("PING") }
    #expect(try server.client().command("GET", "k") == .null)
  }

  @Test func `a killed server refuses connections, and leaves no process behind`() throws {
    let server = try RedisServer()
    let pid = try #require(server.pid)
    server.kill()
    #expect(throws: TestSupportError.self) { try server.client() }
    #expect(kill(pid, 0) == -1)
    #expect(server.pid == nil)
  }

  @Test func `a paused server says nothing until it is resumed`() throws {
    let server = try RedisServer()
    let client = try server.client()
    server.pause()
    try client.send(RESPClient.encode(["PING"]))
    let error = #expect(throws: TestSupportError.self) { try client.readReply(within: .milliseconds(50)) }
    #expect(error?.code == .timedOut)
    server.resume()
    #expect(try client.readReply() == .simple("PONG"))
  }

  @Test func `passwords, users, ports and settings reach the server`() throws {
    let server = try RedisServer(
      password: "secret word",
      users: ["bob on >pw ~* +@all"],
      tcp: true,
      settings: ["databases 3"]
    )
    let port = try #require(server.port)
    let stranger = try RESPClient(.port(port))
    #expect(try stranger.command("PING").errorText?.hasPrefix("NOAUTH") == true)
    #expect(try stranger.command("AUTH", "bob", "pw") == .ok)
    #expect(try server.client().command("CONFIG", "GET", "databases") == .array([.text("databases"), .text("3")]))
  }

  @Test func `no port is given twice, though nobody listens on it yet`() throws {
    let ports = try (0..<300).map { _ in try freePort() }
    #expect(Set(ports).count == 300)
  }

  @Test func `a server that can't start shows its log`() throws {
    let error = #expect(throws: TestSupportError.self) { try RedisServer(settings: ["maxmemory nonsense"]) }
    #expect(error?.code == .process)
    #expect(error?.description.contains("maxmemory nonsense") == true)
  }

  @Test(.enabled(if: ValkeyBinary.path != nil, Comment(rawValue: ValkeyBinary.missingReason)))
  func `valkey runs the same way`() throws {
    let server = try RedisServer(.valkey)
    let info = try server.client().command("INFO", "server")
    #expect(info.string?.contains("valkey_version:") == true)
  }

  @Test func `a deep pipeline locks nobody up`() throws {
    let server = try RedisServer()
    let value = String(repeating: "x", count: 500)
    let commands = (0..<20_000).map { ["ECHO", "\(value)\($0)"] }
    let replies = try server.client().pipeline(commands, within: .seconds(60))
    #expect(replies.last == .text("\(value)19999"))
    #expect(replies.count == 20_000)
  }

  @Test func `a scripted server plays its script for each connection`() throws {
    let server = try ScriptedServer { socket in
      _ = try socket.read()
      try socket.write(Array("$5\r\nhal".utf8))
    }
    for _ in 0..<2 {
      let client = try RESPClient(server.address)
      try client.send("PING\r\n")
      #expect(try client.readUntilClosed() == Array("$5\r\nhal".utf8))
    }
    #expect(server.acceptedCount == 2)
    try eventually("both scripts are over") { server.openCount == 0 }
  }

  @Test func `stopping a scripted server ends what waits on it`() throws {
    let server = try ScriptedServer { socket in while !(try socket.read(within: .seconds(60)).isEmpty) {} }
    let client = try RESPClient(server.address)
    try eventually("the script runs") { server.openCount == 1 }
    server.stop()
    #expect(try client.readUntilClosed().isEmpty)
    #expect(throws: TestSupportError.self) { try RESPClient(server.address) }
  }

  @Test func `a condition that never holds says where and why`() async throws {
    let looks = Mutex(0)
    let error = #expect(throws: TestSupportError.self) {
      try eventually("pigs fly", within: .milliseconds(500)) {
        looks.withLock { $0 += 1 }
        throw TestSupportError(.missing, "no pigs")
      }
    }
    #expect(error?.description.contains("TestSupportTests.swift:") == true)
    #expect(error?.description.contains("until pigs fly; the last look failed: no pigs") == true)
    #expect(looks.withLock { $0 } > 1)
    let later = Task {
      try await eventually("three more looks", within: .seconds(10)) {
        await Task.yield()
        return looks.withLock { $0 > 1_000 }
      }
    }
    looks.withLock { $0 = 1_001 }
    try await later.value
  }

  @Test func `a temporary folder goes with its object`() throws {
    var folder: TemporaryDirectory? = try TemporaryDirectory()
    let path = try #require(try folder?.write("text", to: "file"))
    #expect(try folder?.read("file") == "text")
    #expect(FileManager.default.fileExists(atPath: path))
    folder = nil
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func `a child's way of ending is told`() throws {
    #expect(try ChildProcess("sh", ["-c", "exit 7"]).waitForExit() == .status(7))
    #expect(try ChildProcess("sh", ["-c", "kill -TERM $$"]).waitForExit() == .signal(SIGTERM))
    #expect(try ChildProcess("sleep", ["100"]).terminate() == .signal(SIGTERM))
    let error = #expect(throws: TestSupportError.self) { try ChildProcess("/nonexistent/program", []) }
    #expect(error?.code == .missing)
  }
}
