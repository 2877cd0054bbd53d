import Foundation
import TestSupport
import Testing

@Suite("Container image")
struct DockerfileTests {
  @Test func `hadolint has nothing to say`() throws {
    let outcome = try ChildProcess.run(
      "\(PythonTools.folder)/bin/hadolint",
      [DeployFile.path("deploy/docker/Dockerfile")]
    )
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
  }

  @Test func `it is built with the packages that the manifest names, by the Swift that the project needs`() throws {
    let dockerfile = try Dockerfile()
    let manifest = try DeployFile.text("Package.swift").matches(of: /\.apt\(\["([^"]+)"\]\)/).map { String($0.1) }
    #expect(dockerfile.packages(0) == Set(manifest) && !manifest.isEmpty)
    let text = try DeployFile.text("deploy/docker/Dockerfile")
    let setup = try DeployFile.text("Tests/setup.sh")
    let major = try #require(setup.firstMatch(of: /SWIFT_MAJOR=(\d+)/)).1
    let minor = try #require(setup.firstMatch(of: /SWIFT_MINOR=(\d+)/)).1
    #expect(text.contains("ARG SWIFT_IMAGE=swift:\(major).\(minor)."))
  }

  @Test func `what it says of itself is what the program says`() throws {
    let dockerfile = try Dockerfile()
    let version = try SidecarProcess.run(["--version"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(dockerfile.last("ARG").contains("VERSION=\(version)"))
    #expect(dockerfile.last("LABEL").joined().contains("org.opencontainers.image.version=\"${VERSION}\""))
    #expect(dockerfile.last("STOPSIGNAL") == ["SIGTERM"])
    #expect(dockerfile.last("EXPOSE") == ["6400 9736"])
    #expect(dockerfile.last("USER") == ["65532:65532"])
    #expect(dockerfile.last("ENTRYPOINT") == ["[\"/usr/bin/multistore-exporter\"]"])
  }

  @Test func `the context has all that the manifest names, and no more than that`() throws {
    let lines = try DeployFile.text("deploy/docker/Dockerfile.dockerignore").split(separator: "\n")
    let patterns = lines.filter { !$0.hasPrefix("#") }
    #expect(patterns.first == "*")
    #expect(patterns.filter { $0.hasPrefix("!") } == ["!Package.swift", "!Package.resolved", "!Sources", "!Tests"])
    let paths = try DeployFile.text("Package.swift").matches(of: /path: "([^"]+)"/).map { String($0.1) }
    for pattern in patterns where !pattern.hasPrefix("!") && pattern != "*" {
      #expect(FileManager.default.fileExists(atPath: DeployFile.path(String(pattern))), "\(pattern)")
      #expect(!paths.contains { $0.hasPrefix(pattern) }, "\(pattern)")
    }
  }

  @Test(.enabled(if: ImageRoot.missingReason == nil, "\(ImageRoot.missingReason ?? "")"))
  func `its steps succeed, and the program runs in it as nobody, read-only, until SIGTERM`() throws {
    let dockerfile = try Dockerfile()
    let image = try ImageRoot(dockerfile)
    try expectNoOtherLibraries(image, dockerfile)

    let stores = [try RedisServer(tcp: true), try RedisServer(tcp: true)]
    let configuration = try DeployFile.text("deploy/examples/compose.yml").replacing(all: [
      "redis://redis-new:6379": stores[0].tcpURL, "redis://redis-old:6379": stores[1].tcpURL,
      "0.0.0.0:6400": "127.0.0.1:0",
    ])
    let folder = "\(image.path)/etc/multistore-exporter"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try configuration.write(toFile: "\(folder)/sidecar.yml", atomically: true, encoding: .utf8)

    let port = try freePort()
    var environment = dockerfile.environment
    #expect(environment["MULTISTORE_WEB_LISTEN_ADDRESS"] == "0.0.0.0:9736")
    environment["MULTISTORE_WEB_LISTEN_ADDRESS"] = "127.0.0.1:\(port)"
    let user = try #require(dockerfile.last("USER").first)
    let process = try image.start(user: user, environment: environment, ["/usr/bin/multistore-exporter"])
    try eventually("it is ready") { try HTTPClient.request("GET", "/-/ready", of: .port(port)).status == 200 }

    let check = try dockerfile.healthCheck().map { $0.replacing("/9736", with: "/\(port)") }
    #expect(check.last?.contains("/dev/tcp/127.0.0.1/\(port)") == true)
    try image.run(check)
    #expect(try owners(of: process) == Array(repeating: "65532", count: 4))
    #expect(try process.terminate() == .status(0))
    #expect(throws: TestSupportError.self) { try image.run(check) }
  }

  /// The Dockerfile names the packages of exactly those libraries that the executable asks for, and they are enough.
  private func expectNoOtherLibraries(_ image: ImageRoot, _ dockerfile: Dockerfile) throws {
    let needed = try ChildProcess.run("readelf", ["--dynamic", "\(image.path)/usr/bin/multistore-exporter"]).output
      .matches(of: /\(NEEDED\).*\[([^\]]+)\]/).map { String($0.1) }
    let libraries = try image.run(["/usr/bin/ldd", "/usr/bin/multistore-exporter"])
    #expect(!libraries.contains("not found"), "\(libraries)")
    var packages: Set<String> = []
    for library in needed {
      let owners = try image.run(["/usr/bin/dpkg-query", "--search", library])
      packages.insert(String(owners.prefix { $0 != ":" }))
    }
    #expect(packages.subtracting(["libc6"]) == dockerfile.packages(1), "\(needed)")
  }

  /// The real, effective, saved and file system user of a process.
  private func owners(of process: ChildProcess) throws -> [String] {
    let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Uid:") })
    return line.split(separator: "\t").dropFirst().map(String.init)
  }
}
