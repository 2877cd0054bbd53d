import Foundation
import TestSupport
import Testing

/// Real clients, each through the sidecar in all four states and, for reference, at a redis-server itself.
///
/// A script has to make each check it is asked for, so one that does nothing fails. Afterwards the stores are compared.
@Suite("Real clients")
struct ClientTests {
  @Test(.enabled(if: Client.redisPy.isTested, "\(Client.redisPy.missingReason)"), arguments: Route.allCases)
  func `redis-py`(route: Route) throws { try check(.redisPy, route) }

  @Test(.enabled(if: Client.hiredisPy.isTested, "\(Client.hiredisPy.missingReason)"), arguments: Route.allCases)
  func `redis-py with hiredis-py`(route: Route) throws { try check(.hiredisPy, route) }

  @Test(
    .enabled(if: Client.redisPyAsyncio.isTested, "\(Client.redisPyAsyncio.missingReason)"),
    arguments: Route.allCases
  )
  func `redis-py's asyncio client`(route: Route) throws { try check(.redisPyAsyncio, route) }

  @Test(.enabled(if: Client.valkeyPy.isTested, "\(Client.valkeyPy.missingReason)"), arguments: Route.allCases)
  func `valkey-py`(route: Route) throws { try check(.valkeyPy, route) }

  @Test(.enabled(if: Client.valkeyGlide.isTested, "\(Client.valkeyGlide.missingReason)"), arguments: Route.allCases)
  func `valkey-glide`(route: Route) throws { try check(.valkeyGlide, route) }

  @Test(.enabled(if: Client.coredis.isTested, "\(Client.coredis.missingReason)"), arguments: Route.allCases)
  func `coredis`(route: Route) throws { try check(.coredis, route) }

  @Test(.enabled(if: Client.celery.isTested, "\(Client.celery.missingReason)"), arguments: Route.allCases)
  func `Celery`(route: Route) throws { try check(.celery, route) }

  @Test(.enabled(if: Client.ruby.isTested, "\(Client.ruby.missingReason)"), arguments: Route.allCases)
  func `redis-rb`(route: Route) throws { try check(.ruby, route) }

  @Test(.enabled(if: Client.php.isTested, "\(Client.php.missingReason)"), arguments: Route.allCases)
  func `phpredis`(route: Route) throws { try check(.php, route) }

  @Test(.enabled(if: Client.node.isTested, "\(Client.node.missingReason)"), arguments: Route.allCases)
  func `node-redis`(route: Route) throws { try check(.node, route) }

  @Test(.enabled(if: Client.perl.isTested, "\(Client.perl.missingReason)"), arguments: Route.allCases)
  func `Perl's Redis module`(route: Route) throws { try check(.perl, route) }

  @Test(.enabled(if: Client.go.isTested, "\(Client.go.missingReason)"), arguments: Route.allCases)
  func `redigo`(route: Route) throws { try check(.go, route) }

  @Test(.enabled(if: Client.redisCLI.isTested, "\(Client.redisCLI.missingReason)"), arguments: Route.allCases)
  func `redis-cli in its modes`(route: Route) throws { try check(.redisCLI, route) }

  @Test(
    .enabled(if: Client.redisBenchmark.isTested, "\(Client.redisBenchmark.missingReason)"),
    arguments: [Route.direct, .off, .dual]
  )
  func `redis-benchmark's full run`(route: Route) throws { try check(.redisBenchmark, route) }

  @Test(
    .enabled(if: tested.allSatisfy(\.isTested), "\(tested.first { !$0.isTested }?.missingReason ?? "")"),
    arguments: tested.indices
  )
  func `clients over TLS`(index: Int) throws { try check(Self.tested[index], .dual, usesTLS: true) }

  /// The clients that are tested over TLS: others differ in how they make the connection, not in what they send.
  private static let tested = [Client.redisPy, .hiredisPy, .redisPyAsyncio, .valkeyPy, .redisCLI]

  /// Runs a client's script over `route`, expects each of its checks, and compares the stores.
  private func check(
    _ client: Client,
    _ route: Route,
    usesTLS: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let deployment = try ClientDeployment(route, usesTLS: usesTLS)
    let words = try client.command() + ["127.0.0.1", "\(deployment.port)"] + client.checks
    let outcome = try ChildProcess.run(
      words[0],
      Array(words.dropFirst()),
      environment: client.environment.merging(deployment.authority.map { ["MULTISTORE_CA": $0] } ?? [:]) { $1 },
      within: .seconds(180)
    )
    #expect(outcome.exit == .status(0), "\(outcome.errors)", sourceLocation: sourceLocation)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines == client.checks.map { "ok \($0)" } + ["done"], sourceLocation: sourceLocation)
    try deployment.expectStoresAsRouted(sourceLocation: sourceLocation)
  }
}
