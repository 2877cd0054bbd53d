import TestSupport
import Testing

@Suite("Starting, and refusing to")
struct StartTests {
  @Test(arguments: [
    ["--config.fil=x"], ["--log.level=loud", "--config.file=x"], [], ["frobnicate"], ["feature", "set", "x"],
    ["--web.listen-address", "--config.file=x"],
  ])
  func `wrong flags end with 64 and say what would be right`(arguments: [String]) throws {
    let outcome = try SidecarProcess.run(arguments)
    #expect(outcome.exit == .status(64))
    #expect(outcome.errors.hasPrefix("Error: ") && outcome.errors.contains("Usage: "), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test func `the version and the help are told`() throws {
    let version = try SidecarProcess.run(["--version"])
    #expect(version.exit == .status(0))
    #expect(version.output.contains(/^\d+\.\d+\.\d+\n$/))
    let help = try SidecarProcess.run(["--help"])
    #expect(help.exit == .status(0))
    for flag in [
      "--config.file", "--web.listen-address", "--web.telemetry-path", "--admin.listen-address", "--log.level",
      "--log.file", "check-config", "feature",
    ] {
      #expect(help.output.contains(flag), "\(flag)")
    }
  }

  @Test func `a configuration that is not there ends with 1 and is named`() throws {
    for arguments in [["--config.file=/nowhere/sidecar.yml"], ["check-config", "--config.file=/nowhere/sidecar.yml"]] {
      let outcome = try SidecarProcess.run(arguments)
      #expect(outcome.exit == .status(1))
      #expect((outcome.errors + outcome.output).contains("/nowhere/sidecar.yml"))
    }
  }

  @Test func `every mistake of a configuration is told with its line, and it ends with 1`() throws {
    let directory = try TemporaryDirectory()
    let text = """
      instances:
        - name: Sessions
          listen: 127.0.0.1
          secondary: { url: "http://127.0.0.1" }
          read_polcy: fallback
          primary: nobody
          max_clients: many
      shutdown_timeout: ${NOT_SET_ANYWHERE}
      """
    let file = try directory.write(text, to: "sidecar.yml")
    let check = try SidecarProcess.run(["check-config", "--config.file=\(file)"])
    #expect(check.exit == .status(1))
    for (line, words) in [
      (2, "Sessions"), (3, "port"), (4, "url"), (5, "read_policy"), (6, "nobody"), (7, "max_clients"),
      (8, "NOT_SET_ANYWHERE"),
    ] {
      let isTold = check.output.split(separator: "\n").contains {
        $0.hasPrefix("\(file):\(line):") && $0.contains(words)
      }
      #expect(isTold, "line \(line) with \(words) in:\n\(check.output)")
    }
    let start = try SidecarProcess.run(["--config.file=\(file)"], environment: ["MULTISTORE_LOG_LEVEL": "info"])
    #expect(start.exit == .status(1))
    #expect(start.errors.contains("\(file):5:"))
  }

  @Test func `a right configuration is told to be one, without its secrets`() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      Deployment.configuration(
        in: directory,
        primary: "redis://:hidden-word@10.0.0.1:6380/2",
        secondary: "unix:///s?db=1"
      ),
      to: "sidecar.yml"
    )
    let check = try SidecarProcess.run(["check-config"], environment: ["MULTISTORE_CONFIG_FILE": file])
    #expect(check.exit == .status(0))
    #expect(check.output.contains("OK") && check.output.contains("sessions"))
    #expect(!(check.output + check.errors).contains("hidden-word"))
  }

  /// The listeners and the flag or key that names their address.
  @Test(arguments: ["instance", "metrics", "admin"])
  func `an address in use ends with 2 and is named`(listener: String) throws {
    let holder = try ScriptedServer(tcp: true) { _ in }
    let directory = try TemporaryDirectory()
    let secondary = "unix://\(directory.path("nobody.sock"))"
    let address = holder.address.description
    let configuration = Deployment.configuration(
      in: directory,
      listen: listener == "instance" ? address : nil,
      primary: nil,
      secondary: secondary
    )
    let flags = ["metrics": "--web.listen-address", "admin": "--admin.listen-address"]
    let sidecar = try SidecarProcess(
      configuration: configuration,
      in: directory,
      arguments: flags[listener].map { ["\($0)=\(address)"] } ?? [],
      waits: false
    )
    #expect(try sidecar.process.waitForExit() == .status(2))
    try sidecar.log.waitForEnd()
    let words = sidecar.log.text
    #expect(words.contains(address) && words.contains(flags[listener] ?? "listen"), "\(words)")
    #expect(sidecar.log.all.contains { $0["severity"]?.string == "FATAL" })
  }

  @Test func `a unix socket that a dead sidecar left behind is taken over, a living one's is not`() throws {
    let store = try RedisServer()
    let directory = try TemporaryDirectory()
    let configuration = Deployment.configuration(in: directory, primary: nil, secondary: store.url)
    let first = try SidecarProcess(configuration: configuration, in: directory)
    let rival = try SidecarProcess(
      configuration: configuration,
      in: directory,
      arguments: ["--admin.listen-address=127.0.0.1:0"],
      waits: false
    )
    #expect(try rival.process.waitForExit() == .status(2))
    try rival.log.waitForEnd()
    #expect(rival.log.text.contains(directory.path("sessions.sock")))
    #expect(try first.client(instance: "sessions").command("PING") == .simple("PONG"))
    first.kill()
    let second = try SidecarProcess(configuration: configuration, in: directory)
    #expect(try second.client(instance: "sessions").command("PING") == .simple("PONG"))
  }

  @Test func `a log file that cannot be opened and a telemetry path that is none end with 2`() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      Deployment.configuration(in: directory, primary: nil, secondary: "unix:///nobody.sock"),
      to: "sidecar.yml"
    )
    for argument in ["--log.file=/nowhere/log", "--web.telemetry-path=metrics", "--web.listen-address=nonsense"] {
      let outcome = try SidecarProcess.run([
        "--config.file=\(file)", "--web.listen-address=127.0.0.1:0",
        "--admin.listen-address=unix:\(directory.path("admin.sock"))", argument,
      ])
      #expect(outcome.exit == .status(2), "\(argument)")
      let word = argument.split(separator: "=")[1]
      #expect(outcome.errors.contains(word), "\(argument): \(outcome.errors)")
    }
  }
}
