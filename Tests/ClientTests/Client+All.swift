import Foundation
import TestSupport

/// The clients that are tested. `Tests/setup.sh --clients` installs them.
extension Client {
  static let redisPy = python("redis-py", script: "redis-py/check.py", packages: ["redis"])

  /// redis-py with hiredis-py, which it takes for parsing replies as soon as it is there.
  static let hiredisPy = python(
    "redis-py with hiredis-py",
    script: "redis-py/check.py",
    packages: ["redis", "hiredis"]
  )

  static let redisPyAsyncio = python("redis-py asyncio", script: "redis-py-asyncio/check.py", packages: ["redis"])

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
      "latency", "stat", "interactive", "databases", "pubsub",
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
  private static func python(_ name: String, script: String, packages: [String]) -> Client {
    let variables = ProcessInfo.processInfo.environment
    let cache = variables["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
    let folders = packages.map { "\(cache)/multistore-exporter/python-\($0)" }
    // What is installed elsewhere on the machine may have another version.
    let probes = packages.map { "import \($0); assert \($0).__file__.startswith('\(cache)')" }
    return Client(
      name,
      environment: [
        "PYTHONPATH": folders.joined(separator: ":"), "PYTHONNOUSERSITE": "1",
        "MULTISTORE_PARSER": packages.contains("hiredis") ? "hiredis" : "redis",
      ],
      interpreter: "python3",
      script: script,
      probe: ["-c", probes.joined(separator: "; ")]
    )
  }
}
