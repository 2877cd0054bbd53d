import Foundation
import TestSupport
import Testing

@Suite("Web listeners")
struct WebListenerTests {
  @Test func `every address has the same pages`() throws {
    let directory = try TemporaryDirectory()
    let socket = directory.path("web.sock")
    let deployment = try Deployment(
      arguments: [
        "--web.listen-address=127.0.0.1:0", "--web.listen-address=unix:\(socket)", "--web.listen-address=localhost:0",
      ]
    )
    try deployment.sidecar.log.wait(for: "start") { $0.message == "Started" }
    let addresses = deployment.sidecar.log.all.filter { $0["listener"]?.string == "metrics" }
      .compactMap { $0["address"]?.string.flatMap { SocketAddress($0) } }
    #expect(addresses.count == 3)
    #expect(addresses.contains(.unix(socket)))
    for address in addresses {
      for path in ["/", "/metrics", "/-/healthy", "/-/ready"] {
        #expect(try HTTPClient.request("GET", path, of: address).status == 200, "\(path) of \(address)")
      }
    }
    try deployment.finish()
    #expect(!FileManager.default.fileExists(atPath: socket))
  }

  @Test func `the admin API listens before a probe is answered`() throws {
    let deployment = try Deployment()
    let listeners = deployment.sidecar.log.all.compactMap { $0["listener"]?.string }
    #expect(listeners.suffix(2) == ["admin", "metrics"])
    try deployment.finish()
  }

  @Test func `in the environment commas are between addresses`() throws {
    let directory = try TemporaryDirectory()
    let (first, second) = (directory.path("a.sock"), directory.path("b.sock"))
    let configuration = Deployment.configuration(
      in: directory,
      primary: nil,
      secondary: "unix://\(directory.path("nobody.sock"))"
    )
    let file = try directory.write(configuration, to: "sidecar.yml")
    let (process, _, log) = try ChildProcess.captured(
      SidecarProcess.executablePath,
      ["--config.file=\(file)", "--admin.listen-address=unix:\(directory.path("admin.sock"))"],
      environment: ["MULTISTORE_WEB_LISTEN_ADDRESS": "unix:\(first), unix:\(second)"]
    )
    try log.wait(for: "start") { $0.message == "Started" }
    for path in [first, second] {
      #expect(try HTTPClient.request("GET", "/-/healthy", of: .unix(path)).status == 200)
    }
    #expect(try process.terminate() == .status(0))
  }

  @Test func `sockets of the service manager are taken, and outlive the process`() throws {
    let directory = try TemporaryDirectory()
    let socket = directory.path("web.sock")
    let configuration = Deployment.configuration(
      in: directory,
      primary: nil,
      secondary: "unix://\(directory.path("nobody.sock"))"
    )
    let file = try directory.write(configuration, to: "sidecar.yml")
    // It listens, and becomes the sidecar when the first client comes.
    let activated = try ChildProcess.captured(
      "systemd-socket-activate",
      [
        "--listen=\(socket)", "--listen=127.0.0.1:\(try freePort())", SidecarProcess.executablePath,
        "--config.file=\(file)",
        "--web.systemd-socket", "--admin.listen-address=unix:\(directory.path("admin.sock"))",
        "--web.listen-address=unix:/nowhere/never.sock",
      ],
      environment: [:]
    )
    let (process, log) = (activated.0, activated.errors)
    // The file is there before anybody listens.
    try eventually("the socket answers") { try HTTPClient.request("GET", "/metrics", of: .unix(socket)).status == 200 }
    // The first listener may answer before the second one is told of.
    var addresses: [String] = []
    try eventually("both sockets are in the log") {
      addresses = log.all.filter { $0["listener"]?.string == "metrics" }.compactMap { $0["address"]?.string }
      return addresses.count == 2
    }
    #expect(addresses.first == "unix:\(socket)")
    let port = try #require(addresses.last.flatMap { SocketAddress($0) })
    #expect(try HTTPClient.request("GET", "/-/healthy", of: port).status == 200)
    #expect(try process.terminate() == .status(0))
    #expect(FileManager.default.fileExists(atPath: socket))
  }

  @Test(
    arguments: [
      ([:], "LISTEN_PID and LISTEN_FDS are not set"),
      (["LISTEN_PID": "1", "LISTEN_FDS": "1"], "LISTEN_PID says that they are for process 1, and this is "),
    ]
  )
  func `without sockets there is no start`(environment: [String: String], words: String) throws {
    let directory = try TemporaryDirectory()
    let configuration = Deployment.configuration(
      in: directory,
      primary: nil,
      secondary: "unix://\(directory.path("nobody.sock"))"
    )
    let file = try directory.write(configuration, to: "sidecar.yml")
    let outcome = try SidecarProcess.run(
      ["--config.file=\(file)", "--admin.listen-address=127.0.0.1:0"],
      environment: environment.merging(["MULTISTORE_WEB_SYSTEMD_SOCKET": "true"]) { $1 }
    )
    #expect(outcome.exit == .status(2))
    let sentence = "--web.systemd-socket: no sockets from the service manager: \(words)"
    #expect(outcome.errors.contains(sentence), "\(outcome.errors)")
  }
}
