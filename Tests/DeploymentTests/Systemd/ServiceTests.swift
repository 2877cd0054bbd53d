import Foundation
import TestSupport
import Testing

/// The units of `deploy/systemd` run by a real systemd, untouched but for the ports.
@Suite(
  "The systemd service",
  .enabled(if: BootedSystem.missingReason == nil, "\(BootedSystem.missingReason ?? "")")
)
struct ServiceTests {
  /// A system with the service installed as deploy/README.md says, between two real stores.
  private final class Installation: Sendable {
    let example: ExampleDeployment
    let system: BootedSystem
    let web: SocketAddress

    init(_ more: [String: String] = [:]) throws {
      example = try ExampleDeployment("acl-users.yml")
      let port = try freePort()
      web = .port(port)
      var files = [
        "/etc/systemd/system/multistore-exporter.service":
          try DeployFile.text("deploy/systemd/multistore-exporter.service"),
        "/etc/systemd/system/multistore-exporter.socket":
          try DeployFile.text("deploy/systemd/multistore-exporter.socket").replacing(all: ["9736": "\(port)"]),
        "/usr/lib/sysusers.d/multistore-exporter.conf":
          try DeployFile.text("deploy/systemd/multistore-exporter.sysusers"),
        "/etc/logrotate.d/multistore-exporter": try DeployFile.text("deploy/logging/logrotate.conf"),
        "/etc/multistore-exporter/environment": try DeployFile.text("deploy/systemd/environment"),
        // The example's folders are the real ones here.
        "/etc/multistore-exporter/sidecar.yml":
          example.text.replacing(example.directory.path, with: "/var/lib/multistore-exporter"),
      ]
      for name in ["new", "old", "shop"] {
        files["/etc/multistore-exporter/credentials/\(name)"] = try example.directory.read("credentials/redis_\(name)")
      }
      system = try BootedSystem(files: files.merging(more) { $1 })
      try system.run("chmod", "--recursive", "u=rwX,go=", "/etc/multistore-exporter/credentials")
      try system.run("systemd-sysusers")
    }

    func get(_ path: String) throws -> HTTPResponse { try HTTPClient.request("GET", path, of: web) }

    /// The command line, as an operator has it on this machine.
    func cli(_ words: String...) throws -> String {
      let address = "MULTISTORE_ADMIN_LISTEN_ADDRESS=unix:/run/multistore-exporter/admin.sock"
      return try system.run("env", address, "sh", "-c", "multistore-exporter \(words.joined(separator: " "))")
    }

    /// A client that is logged in.
    func client() throws -> RESPClient {
      let text = try system.run("cat", "/var/log/multistore-exporter/events.jsonl")
      let lines = try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
      let listening = lines.last { $0["listener"]?.string == "instance:sessions" && $0["address"] != nil }
      let address = try #require(listening?["address"]?.string.flatMap { SocketAddress($0) })
      let client = try RESPClient(address)
      #expect(try client.command("AUTH", "shop", "pw-redis_shop") == .ok)
      return client
    }
  }

  @Test func `the first scrape starts it, with its rights taken away and its passwords at hand`() throws {
    let here = try Installation()
    try here.system.run("systemctl", "start", "multistore-exporter.socket")
    #expect(try here.system.property("ActiveState") == "inactive")
    #expect(try here.get("/-/healthy").status == 200)
    try eventually("it is ready") { try here.get("/-/ready").status == 200 }
    #expect(try here.system.property("ActiveState") == "active")
    try eventually("both stores took their passwords") {
      try MetricsSnapshot(parsing: here.get("/metrics").text).sum("multistore_store_up") == 2
    }
    #expect(try here.client().command("SET", "k", "v") == .ok)

    let status = try here.system.run("cat", "/proc/\(here.system.property("MainPID"))/status")
    #expect(status.contains(/\nCapBnd:\t0+\n/) && status.contains(/\nCapEff:\t0+\n/))
    #expect(status.contains("\nNoNewPrivs:\t1\n") && status.contains("\nSeccomp:\t2\n"))
    #expect(!status.contains(/\nUid:\t0\t/))
    // What nobody else on the machine may do.
    let ls = try here.system.run("stat", "--format=%A %U", "/run/multistore-exporter/admin.sock")
    #expect(ls == "srw------- multistore-exporter\n")
  }

  @Test func `flags survive a crash and a stop, and a broken configuration is not tried again`() throws {
    let here = try Installation()
    try here.system.run("systemctl", "start", "multistore-exporter")
    let flag = "use_primary_and_secondary_stores_for_sessions"
    try eventually("it can be asked") { try here.cli("feature", "set", flag, "true").contains("on") }

    let first = try here.system.property("MainPID")
    try here.system.run("systemctl", "kill", "--signal=KILL", "multistore-exporter")
    try eventually("systemd has started it again") {
      let now = try here.system.property("MainPID")
      return now != "0" && now != first
    }
    try eventually("the flag is on") { try here.cli("feature", "get", flag).contains("on") }
    try here.system.run("systemctl", "stop", "multistore-exporter")
    #expect(try here.system.property("Result") == "success")
    let log = try here.system.run("cat", "/var/log/multistore-exporter/events.jsonl")
    #expect(log.split(separator: "\n").last?.contains("\"Stopped\"") == true)

    try here.system.run("sed", "-i", "s/listen:/lisen:/", "/etc/multistore-exporter/sidecar.yml")
    _ = try here.system.outcome("systemctl", "start", "multistore-exporter")
    try eventually("it has failed") { try here.system.property("ActiveState") == "failed" }
    #expect(try here.system.property("NRestarts") == "0")
    // journald reads what the process has written, also after its end.
    try eventually("the reason is in the journal") {
      let journal = try here.system.run("journalctl", "--unit=multistore-exporter", "--output=cat")
      return journal.contains("unknown key; did you mean \"listen\"?")
    }
  }

  @Test func `logrotate and systemctl reload reach it, and no line is lost`() throws {
    let here = try Installation()
    try here.system.run("systemctl", "start", "multistore-exporter")
    try eventually("it is ready") { try here.get("/-/ready").status == 200 }
    let client = try here.client()
    let folder = "/var/log/multistore-exporter"
    for _ in 0..<5 { try client.command("TIME") }
    try here.system.run("logrotate", "--force", "/etc/logrotate.d/multistore-exporter")
    try eventually("it writes to the new file") {
      try client.command("TIME")
      return try here.system.run("cat", "\(folder)/events.jsonl").contains("MethodMissingError")
    }
    try here.system.run("systemctl", "reload", "multistore-exporter")
    try here.system.run("systemctl", "stop", "multistore-exporter")
    let text = try here.system.run("sh", "-c", "cat \(folder)/events.jsonl-* \(folder)/events.jsonl")
    let lines = try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    #expect(lines.last?["message"]?.string == "Stopped")
    let owners = try here.system.run("sh", "-c", "stat --format='%A %U' \(folder)/*")
    #expect(Set(owners.split(separator: "\n")) == ["-rw-r----- multistore-exporter"])
  }

  @Test func `the journal has every line whole`() throws {
    let drops = "/etc/systemd/system/multistore-exporter.service.d/journal.conf"
    let here = try Installation([
      drops: try DeployFile.text("deploy/logging/journald/multistore-exporter.service.conf"),
      "/etc/systemd/journald.conf.d/multistore-exporter.conf":
        try DeployFile.text("deploy/logging/journald/journald.conf"),
    ])
    try here.system.run("systemctl", "start", "multistore-exporter")
    try eventually("it is ready") { try here.get("/-/ready").status == 200 }
    try here.system.run("systemctl", "stop", "multistore-exporter")
    let journal = ["journalctl", "--identifier=multistore-exporter", "--output=cat", "--no-pager", "--all"]
    try eventually("the last line is there") {
      try here.system.run("sh", "-c", journal.joined(separator: " ")).contains("\"Stopped\"")
    }
    let lines = try here.system.run("sh", "-c", journal.joined(separator: " ")).split(separator: "\n")
    for line in lines { #expect(throws: Never.self) { try JSONValue(parsing: String(line)) } }
    #expect(lines.contains { $0.contains("\"Started\"") })

    let long = "head --bytes=65000 /dev/zero | tr '\\0' x | systemd-cat --identifier=long"
    try here.system.run("sh", "-c", long)
    try eventually("a long line is one entry") {
      let text = try here.system.run("journalctl", "--identifier=long", "--output=cat", "--no-pager", "--all")
      return text == String(repeating: "x", count: 65_000) + "\n"
    }
  }
}
