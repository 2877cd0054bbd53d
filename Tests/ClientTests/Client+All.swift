import Foundation
import TestSupport

/// The clients that are tested. `Tests/setup.sh --clients` installs them.
extension Client {
  /// It speaks RESP3, as all here that are not told otherwise.
  static let redisPy = python("redis-py", script: "redis-py/check.py", packages: ["redis"])

  /// redis-py with hiredis-py, which it takes for parsing replies as soon as it is there.
  static let hiredisPy = python(
    "redis-py with hiredis-py",
    script: "redis-py/check.py",
    packages: ["redis", "hiredis"]
  )

  static let redisPyAsyncio = python("redis-py asyncio", script: "redis-py-asyncio/check.py", packages: ["redis"])

  /// It speaks RESP2.
  static let valkeyPy = python("valkey-py", script: "redis-py/check.py", packages: ["valkey"], protocolVersion: 2)

  static let valkeyGlide = python(
    "valkey-glide",
    script: "valkey-glide/check.py",
    packages: ["valkey-glide"],
    module: "glide"
  )

  static let coredis = python(
    "coredis",
    checks: ["strings", "hashes", "sets", "sorted_sets", "transaction", "scripts", "errors", "pubsub"],
    script: "coredis/check.py",
    packages: ["coredis"]
  )

  static let celery = python(
    "Celery",
    checks: ["tasks", "groups", "errors", "control"],
    script: "celery/check.py",
    packages: ["celery"]
  )

  static let ruby = Client("redis-rb", interpreter: "ruby", script: "ruby/check.rb", probe: ["-e", "require 'redis'"])

  static let php = Client(
    "phpredis",
    interpreter: "php",
    script: "php/check.php",
    probe: ["-r", "exit(class_exists('Redis') ? 0 : 1);"]
  )

  static let node = Client(
    "node-redis",
    // Where Debian's packages are, also for a node that is not Debian's.
    environment: ["NODE_PATH": "/usr/share/nodejs"],
    interpreter: "node",
    script: "node/check.js",
    probe: ["-e", "require('redis')"]
  )

  static let perl = Client("Redis.pm", interpreter: "perl", script: "perl/check.pl", probe: ["-MRedis", "-e", "1"])

  static let go = Client(
    "redigo",
    probe: ["sh", "-c", "command -v go && test -d /usr/share/gocode/src/github.com/gomodule/redigo/redis"],
    building: goProgram
  )

  private static let goProgram = BuiltProgram(
    // Debian's packages of Go libraries are sources in this folder, made for builds without modules.
    environment: ["GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""],
    build: { ["go", "build", "-o", $0, folder.appendingPathComponent("go/main.go").path] }
  )

  static let redisCLI = Client(
    "redis-cli",
    checks: [
      "arguments", "output_forms", "standard_input", "repeat", "eval", "pipe", "scan", "bigkeys", "memkeys", "hotkeys",
      "latency", "stat", "interactive", "databases", "pubsub", "resp3", "json",
    ],
    interpreter: "bash",
    script: "redis-cli/check.sh",
    probe: ["-c", "command -v redis-cli && command -v python3"]
  )

  static let redisBenchmark = Client(
    "redis-benchmark",
    checks: ["default", "pipelined", "random_keys"],
    interpreter: "bash",
    script: "redis-benchmark/check.sh",
    probe: ["-c", "command -v redis-benchmark"]
  )

  /// A client in Python whose packages are where `Tests/setup.sh` puts each of them.
  ///
  /// - Parameters:
  ///   - module: The module of the first package, if it has another name.
  ///   - protocolVersion: The version of RESP that it speaks unless it is told otherwise.
  private static func python(
    _ name: String,
    checks: [String] = ClientCheck.allCases.map(\.rawValue),
    script: String,
    packages: [String],
    module: String? = nil,
    protocolVersion: Int = 3
  ) -> Client {
    let variables = ProcessInfo.processInfo.environment
    let cache = variables["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
    let folders = packages.map { "\(cache)/multistore-exporter/python-\($0)" }
    // What is installed elsewhere on the machine may have another version.
    let modules = [module ?? packages[0]] + packages.dropFirst()
    let probes = modules.map { "import \($0); assert \($0).__file__.startswith('\(cache)')" }
    return Client(
      name,
      checks: checks,
      environment: [
        "PYTHONPATH": folders.joined(separator: ":"), "PYTHONNOUSERSITE": "1", "PYTHONDONTWRITEBYTECODE": "1",
        "MULTISTORE_MODULE": modules[0], "MULTISTORE_PROTOCOL": "\(protocolVersion)",
        "MULTISTORE_PARSER": packages.contains("hiredis") ? "hiredis" : "redis",
      ],
      interpreter: "python3",
      script: script,
      probe: ["-c", probes.joined(separator: "; ")]
    )
  }
}
