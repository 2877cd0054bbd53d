// swift-tools-version: 6.2
import PackageDescription

#if canImport(Glibc)
  import Glibc
#endif

/// The settings of every Swift target.
let common: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// The settings of targets that are no bridges to C: unsafe constructs have to be marked, and a warning fails CI.
let safe: [SwiftSetting] = common + [.strictMemorySafety()]

/// The settings of targets that every command passes through: run-time checks for overlapping access to properties took
/// a third of a command's instructions. Debug builds have them, and all tests run in a debug build; a release does not.
let hotPath: [SwiftSetting] = [
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
]

/// For what all tests do thousands of times: they encode commands, and read replies, scrapes and logs. Unoptimised, that
/// took more processor time than the tests' own code.
let testTools: [SwiftSetting] = common + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// Saves two MiB, a tenth of the idle sidecar's resident memory: tables that are read only at its start. No code looks
/// up the executable's symbols by name, and lld packs relocations to a hundredth where the C library can read that.
let small: [LinkerSetting] = [
  .unsafeFlags(
    ["-use-ld=lld", "-Xlinker", "--no-export-dynamic"]
      + (readsPackedRelocations ? ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"] : []),
    .when(platforms: [.linux], configuration: .release)
  )
]

/// Whether glibc reads packed relocations: from 2.36 on (its NEWS for that version).
var readsPackedRelocations: Bool {
  #if canImport(Glibc)
    var version = [CChar](repeating: 0, count: 64)
    confstr(Int32(_CS_GNU_LIBC_VERSION), &version, version.count)  // "glibc 2.36"
    let number = String(decoding: version.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self).drop { !$0.isNumber }
    return number.split(separator: ".").compactMap { Int($0) }.lexicographicallyPrecedes([2, 36]) == false
  #else
    return false
  #endif
}

let package = Package(
  name: "multistore-exporter",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "MultiStore", targets: ["MultiStore"]),
    .executable(name: "multistore-exporter", targets: ["multistore-exporter"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
    .systemLibrary(name: "CGnuTLS", providers: [.apt(["libgnutls28-dev"]), .brew(["gnutls"])]),
    .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]),
    .systemLibrary(name: "CMicroHTTPD", providers: [.apt(["libmicrohttpd-dev"]), .brew(["libmicrohttpd"])]),
    .systemLibrary(name: "CUV", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),

    .target(
      name: "RESP",
      dependencies: [.product(name: "BasicContainers", package: "swift-collections")],
      swiftSettings: safe + hotPath
    ),
    .target(name: "Sockets", swiftSettings: common),
    .target(name: "Threads", swiftSettings: safe),
    .target(name: "TLS", dependencies: ["CGnuTLS"], swiftSettings: common + hotPath),
    .target(
      name: "EventLoop",
      dependencies: ["CUV", "Sockets", "TLS", .product(name: "DequeModule", package: "swift-collections")],
      swiftSettings: common + hotPath
    ),
    .target(
      name: "Hiredis",
      dependencies: [
        "CHiredis", "EventLoop", "RESP", "TLS",
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: common + hotPath
    ),
    .target(name: "Stores", dependencies: ["RESP", "Hiredis", "EventLoop"], swiftSettings: safe),
    .target(
      name: "MultiStore",
      dependencies: [
        "RESP", "Hiredis", "EventLoop", "Stores", "Threads",
        .product(name: "BasicContainers", package: "swift-collections"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: safe + hotPath
    ),
    .target(
      name: "PrometheusExposition",
      dependencies: [.product(name: "CoreMetrics", package: "swift-metrics")],
      swiftSettings: safe
    ),
    .target(
      name: "JSONLog",
      dependencies: ["Threads", .product(name: "Logging", package: "swift-log")],
      swiftSettings: safe
    ),
    .target(
      name: "HTTPServer",
      dependencies: ["CCrypt", "CMicroHTTPD", "CZlib", "Sockets", "TLS"],
      swiftSettings: common
    ),
    .target(name: "Status", swiftSettings: safe),
    .target(
      name: "Proxy",
      dependencies: [
        "RESP", "EventLoop", "Hiredis", "MultiStore", "PrometheusExposition", "TLS",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: safe + hotPath
    ),
    .target(
      name: "Sidecar",
      dependencies: [
        "RESP", "Sockets", "EventLoop", "Hiredis", "MultiStore", "PrometheusExposition", "Proxy", "JSONLog",
        "HTTPServer", "Status", "Threads", "TLS",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: safe + hotPath
    ),
    .executableTarget(
      name: "multistore-exporter",
      dependencies: [
        "Sidecar", "HTTPServer", "Sockets", "TLS",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: safe,
      linkerSettings: small
    ),

    // An example of a Swift server that embeds the library; its test runs it.
    .executableTarget(
      name: "MultiStoreExample",
      dependencies: ["MultiStore", "PrometheusExposition", .product(name: "Logging", package: "swift-log")],
      path: "Tests/Examples/Embedding",
      swiftSettings: safe
    ),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: testTools),
    // Servers on loopback and curl, for tests of the server and of the routes that it is given.
    .target(
      name: "HTTPTestSupport",
      dependencies: ["HTTPServer", "Sockets", "TestSupport"],
      path: "Tests/HTTPTestSupport",
      swiftSettings: common
    ),

    // The checks of fuzzing, and its programs; Tests/fuzz.sh builds them with libFuzzer.
    .target(name: "FuzzChecks", dependencies: ["RESP"], path: "Tests/Fuzz/Checks", swiftSettings: common),
    .executableTarget(name: "FuzzInput", dependencies: ["FuzzChecks"], path: "Tests/Fuzz/Input", swiftSettings: common),
    .executableTarget(
      name: "FuzzSession",
      dependencies: ["FuzzChecks", "Sidecar", "TestSupport"],
      path: "Tests/Fuzz/Session",
      swiftSettings: common
    ),

    // Faults that are injected while clients work; Tests/faults.sh makes a table of all, the suite has some of them.
    .target(
      name: "FaultLaboratory",
      dependencies: ["TestSupport"],
      path: "Tests/Faults/Laboratory",
      swiftSettings: common
    ),
    .executableTarget(
      name: "FaultTable",
      dependencies: ["FaultLaboratory", "TestSupport"],
      path: "Tests/Faults/Table",
      swiftSettings: common
    ),
    .testTarget(
      name: "FaultTests",
      dependencies: ["FaultLaboratory", "TestSupport", "multistore-exporter"],
      swiftSettings: common
    ),

    .testTarget(name: "RESPTests", dependencies: ["RESP", "FuzzChecks", "TestSupport"], swiftSettings: common),
    .testTarget(name: "SocketsTests", dependencies: ["Sockets"], swiftSettings: common),
    .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "Sockets", "TestSupport"], swiftSettings: common),
    .testTarget(name: "TLSTests", dependencies: ["TLS", "CGnuTLS", "TestSupport"], swiftSettings: common),
    .testTarget(
      name: "HiredisTests",
      dependencies: ["Hiredis", "EventLoop", "TLS", "TestSupport"],
      swiftSettings: common
    ),
    .testTarget(
      name: "StoresTests",
      dependencies: ["Stores", "Hiredis", "EventLoop", "TestSupport"],
      swiftSettings: common
    ),
    .testTarget(
      name: "MultiStoreTests",
      dependencies: [
        "MultiStore", "MultiStoreExample", "TestSupport",
        .product(name: "MetricsTestKit", package: "swift-metrics"),
        .product(name: "Logging", package: "swift-log"), .product(name: "InMemoryLogging", package: "swift-log"),
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "PrometheusExpositionTests",
      dependencies: [
        "PrometheusExposition", "TestSupport", .product(name: "CoreMetrics", package: "swift-metrics"),
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "JSONLogTests",
      dependencies: ["JSONLog", "TestSupport", .product(name: "Logging", package: "swift-log")],
      swiftSettings: common
    ),
    .testTarget(
      name: "HTTPServerTests",
      dependencies: ["HTTPServer", "HTTPTestSupport", "Sockets", "TLS", "TestSupport"],
      swiftSettings: common
    ),
    .testTarget(
      name: "ProxyTests",
      dependencies: ["Proxy", "EventLoop", "Hiredis", "MultiStore", "RESP", "TestSupport"],
      swiftSettings: common
    ),
    .testTarget(name: "StatusTests", dependencies: ["Status", "TestSupport"], swiftSettings: common),
    .testTarget(
      name: "SidecarTests",
      dependencies: [
        "Sidecar", "EventLoop", "HTTPServer", "HTTPTestSupport", "MultiStore", "RESP", "PrometheusExposition",
        "Sockets", "Status", "TLS", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "multistore-exporter", "HTTPServer", "HTTPTestSupport", "Sidecar", "Sockets", "TLS", "TestSupport",
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["TestSupport", "multistore-exporter", "FuzzSession"],
      swiftSettings: common
    ),
    .testTarget(
      name: "ClientTests",
      dependencies: ["TestSupport", "multistore-exporter"],
      swiftSettings: common
    ),
    .testTarget(
      name: "MonitoringTests",
      dependencies: ["TestSupport", "multistore-exporter"],
      swiftSettings: common
    ),
    // The files in deploy/, run by the programs that read them.
    .testTarget(
      name: "DeploymentTests",
      dependencies: ["TestSupport", "multistore-exporter", .product(name: "Yams", package: "Yams")],
      exclude: ["Scripts"],
      swiftSettings: common
    ),
    .testTarget(name: "TidyTests", dependencies: ["TestSupport"], swiftSettings: common),
  ],
  swiftLanguageModes: [.v6]
)
