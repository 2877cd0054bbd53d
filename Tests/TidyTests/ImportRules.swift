/// Who may import what: the arrows of the design, which SwiftPM alone does not hold.
struct ImportRules: Sendable {
  /// Modules of this package.
  let own: Set<String>
  /// Modules of other packages.
  let packages: Set<String>
  /// Modules of the system and the toolchain.
  let system: Set<String>

  /// The wrapped C libraries, each with the one target that may import it.
  static let cModules = [
    "CHiredis": "Hiredis", "CUV": "EventLoop", "CMicroHTTPD": "HTTPServer", "CZlib": "HTTPServer",
    "CGnuTLS": "TLS", "CCrypt": "HTTPServer",
  ]

  // Foundation is in nobody's rules: it costs more memory than the process may have.
  private static let libc: Set<String> = ["Glibc", "Darwin", "Synchronization"]

  /// The rules by target, from the bottom to the top.
  static let byTarget: [String: ImportRules] = [
    "RESP": ImportRules(own: [], packages: ["BasicContainers"], system: []),
    "Sockets": ImportRules(own: [], packages: [], system: libc),
    "Threads": ImportRules(own: [], packages: [], system: libc),
    "TLS": ImportRules(own: ["CGnuTLS"], packages: [], system: libc),
    "EventLoop": ImportRules(own: ["CUV", "Sockets", "TLS"], packages: ["DequeModule"], system: libc),
    "Hiredis": ImportRules(own: ["CHiredis", "EventLoop", "RESP", "TLS"], packages: ["DequeModule"], system: libc),
    "Stores": ImportRules(own: ["RESP", "Hiredis", "EventLoop"], packages: [], system: []),
    "MultiStore": ImportRules(
      own: ["RESP", "Hiredis", "EventLoop", "Stores", "Threads"],
      packages: ["BasicContainers", "DequeModule", "Logging", "Metrics", "CoreMetrics"],
      system: libc
    ),
    "PrometheusExposition": ImportRules(own: [], packages: ["CoreMetrics"], system: libc),
    "JSONLog": ImportRules(own: ["Threads"], packages: ["Logging"], system: libc),
    "HTTPServer": ImportRules(
      own: ["CCrypt", "CMicroHTTPD", "CZlib", "Sockets", "TLS"],
      packages: [],
      system: libc
    ),
    "Status": ImportRules(own: [], packages: [], system: libc),
    "Proxy": ImportRules(
      own: ["RESP", "EventLoop", "Hiredis", "MultiStore", "PrometheusExposition", "TLS"],
      packages: ["DequeModule", "Logging"],
      system: libc
    ),
    "Sidecar": ImportRules(
      own: [
        "RESP", "Sockets", "EventLoop", "Hiredis", "MultiStore", "PrometheusExposition", "Proxy", "JSONLog",
        "HTTPServer", "Status", "Threads", "TLS",
      ],
      packages: ["Logging", "Yams"],
      system: libc
    ),
    "multistore-exporter": ImportRules(
      own: ["Sidecar", "HTTPServer", "Sockets", "TLS"],
      packages: ["ArgumentParser"],
      system: libc
    ),
  ]

  /// Modules that come with another module's product, since a client of the product may have to name them.
  static let modulesOfProduct = ["Metrics": ["Metrics", "CoreMetrics"]]
}

/// One `import` line.
struct ImportLine: Equatable {
  /// `public`, `internal` …; nil if nothing is said.
  let access: String?
  let module: String

  private static let accessLevels = ["public", "package", "internal", "fileprivate", "private"]
  private static let kinds = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]

  /// Reads a line of code; nil if it imports nothing.
  init?(_ line: Substring) {
    var words = line.split(separator: " ")[...]
    while words.first?.first == "@" { words.removeFirst() }
    let first = words.first.map(String.init)
    access = first.flatMap { Self.accessLevels.contains($0) ? $0 : nil }
    if access != nil { words.removeFirst() }
    guard words.popFirst() == "import" else { return nil }
    if let kind = words.first, Self.kinds.contains(String(kind)) { words.removeFirst() }
    guard let path = words.first else { return nil }
    module = String(path.prefix { $0 != "." })
  }
}
