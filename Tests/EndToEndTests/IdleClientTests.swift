import Foundation
import TestSupport
import Testing

@Suite("Clients that are slow to finish a command")
struct IdleClientTests {
  private static let closed = "multistore_client_connections_closed_total"

  @Test(
    arguments: [
      HostileConnections.Habit.dripping(after: "*2\r\n$3\r\nGET\r\n$100000\r\n"), .dripping(after: "GET "),
      .repeating("\r\n"), .silent,
    ]
  )
  func `one that drips is closed after idle_timeout`(habit: HostileConnections.Habit) throws {
    let deployment = try Deployment(listen: "127.0.0.1:0", instance: ["idle_timeout: 1s"])
    guard case .port(let port) = try deployment.sidecar.address(of: "instance:sessions") else { return }
    let start = ContinuousClock.now
    let clients = try HostileConnections(3, to: port, habit)
    try eventually("they are closed") { clients.closedCount >= 3 }
    #expect(ContinuousClock.now - start > .milliseconds(900))
    #expect(try deployment.metric(Self.closed, ["reason": "idle_timeout"]) ?? 0 >= 3)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `one that uploads a large value over a slow line can finish`(state: MigrationState) throws {
    let deployment = try Deployment(state, instance: ["idle_timeout: 3s"])
    let client = try Socket(connectingTo: deployment.sidecar.address(of: "instance:sessions"))
    let value = String(repeating: "x", count: 80_000)
    let command = RESPClient.encode(["SET", "k", value])
    let start = ContinuousClock.now
    for part in stride(from: 0, to: command.count, by: 5000) {
      try client.write(Array(command[part..<min(part + 5000, command.count)]))
      // Nothing comes meanwhile: this is the line's time.
      #expect(part + 5000 >= command.count || client.wait(for: Int16(POLLIN), until: .now + .milliseconds(250)) == 0)
    }
    #expect(try String(decoding: client.read(), as: UTF8.self) == "+OK\r\n")
    #expect(ContinuousClock.now - start > .seconds(3))
    #expect(try deployment.client().command("STRLEN", "k") == .integer(80_000))
  }
}
