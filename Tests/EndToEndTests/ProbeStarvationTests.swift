import Foundation
import TestSupport
import Testing

@Suite("Probes, scrapes and the admin API in a crowd")
struct ProbeStarvationTests {
  private static let scrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"

  @Test func `they are answered within a second, and memory and threads stay as they are`() throws {
    let deployment = try Deployment(
      instance: ["keyspace_sampling: false"],
      arguments: ["--admin.listen-address=127.0.0.1:0"]
    )
    let (web, admin) = try (deployment.sidecar.address(of: "metrics"), deployment.sidecar.address(of: "admin"))
    let before = try deployment.sidecar.metrics()
    let threads = try threadCount(of: deployment)
    var crowds: [HostileConnections] = []
    for address in [web, admin] {
      guard case .port(let port) = address else { continue }
      let sources = (1...200).map { "127.0.4.\($0)" }
      crowds += [
        try HostileConnections(100, to: port, from: sources, .silent),
        try HostileConnections(100, to: port, from: sources + ["127.0.0.1"], .dripping(after: "GET / HTTP/1.1\r\nX: ")),
        try HostileConnections(100, to: port, from: sources, .asking(Self.scrape)),
        try HostileConnections(100, to: port, from: ["127.0.0.1"], .silent),
      ]
    }
    var times: [Duration] = []
    let end = ContinuousClock.now + .seconds(4)
    while ContinuousClock.now < end {
      for (path, address) in [
        ("/-/healthy", web), ("/-/ready", web), ("/metrics", web), ("/api/v4/features", admin),
      ] {
        let start = ContinuousClock.now
        #expect(try HTTPClient.request("GET", path, of: address).status == 200, "\(path)")
        times.append(ContinuousClock.now - start)
      }
      try deployment.sidecar.setFlag(Deployment.dualFlag, false)
    }
    // A machine that is busy with other things may keep one waiting for longer.
    times.sort()
    #expect(times[times.count / 2] < .seconds(1), "\(times.count) requests")
    #expect(times[times.count - 1] < .seconds(10))
    let after = try deployment.sidecar.metrics()
    #expect(try threadCount(of: deployment) == threads)
    let growth = after.sum("process_resident_memory_bytes") - before.sum("process_resident_memory_bytes")
    #expect(growth < 100 * 1024 * 1024)
    for listener in ["metrics", "admin"] {
      #expect(after["multistore_http_connections", ["listener": listener]] ?? 0 <= 256)
      #expect(after.sum("multistore_http_connections_closed_total", ["listener": listener]) > 0)
    }
    #expect(crowds.contains { $0.closedCount > 0 })
  }

  @Test func `they are answered beside whole requests without end from their own address`() throws {
    let deployment = try Deployment(arguments: ["--admin.listen-address=127.0.0.1:0"])
    let (web, admin) = try (deployment.sidecar.address(of: "metrics"), deployment.sidecar.address(of: "admin"))
    let end = ContinuousClock.now + .seconds(3)
    let flood = Threads(20) { index in
      let (path, address) = index.isMultiple(of: 2) ? ("/metrics", web) : ("/api/v4/status", admin)
      while ContinuousClock.now < end {
        let status = try HTTPClient.request("GET", path, of: address).status
        guard status == 200 else { throw TestSupportError(.malformed, "\(path): \(status)") }
      }
    }
    let client = try deployment.client()
    var (times, rounds) = ([Duration](), 0)
    while ContinuousClock.now < end {
      let start = ContinuousClock.now
      #expect(try HTTPClient.request("GET", "/-/healthy", of: web).status == 200)
      #expect(try HTTPClient.request("GET", "/api/v4/features", of: admin).status == 200)
      times.append(ContinuousClock.now - start)
      rounds += 1
      #expect(try client.command("INCR", "n") == .integer(rounds), "clients of the instance go on as well")
    }
    try flood.join()
    times.sort()
    #expect(times[times.count / 2] < .seconds(1) && times[times.count - 1] < .seconds(10), "\(times.count) rounds")
  }

  private func threadCount(of deployment: Deployment) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(deployment.sidecar.process.pid)/task").count
  }
}
