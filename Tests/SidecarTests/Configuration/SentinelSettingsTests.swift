import Sockets
import TLS
import TestSupport
import Testing

@testable import Sidecar

@Suite("Sentinels in configurations")
struct SentinelSettingsTests {
  func loaded(_ primary: String) -> ConfigurationResult { parse(minimal(instance: "primary: \(primary)")) }

  func store(_ primary: String) throws -> StoreConfiguration {
    let result = loaded(primary)
    #expect(result.errors.isEmpty, "\(result.problems)")
    return try #require(result.configuration?.instances.first?.primary)
  }

  @Test func `master and sentinels are read, with the default port and no database named`() throws {
    let store = try store("{ sentinel: { master: m, nodes: [a, \"10.0.0.2:1\", \"[::1]:2\"] } }")
    let nodes = [
      SocketAddress.tcp(host: "a", port: 26379), .tcp(host: "10.0.0.2", port: 1), .tcp(host: "::1", port: 2),
    ]
    #expect(store.sentinels == StoreConfiguration.Sentinels(master: "m", nodes: nodes))
    #expect(store.database == 0 && !store.namesDatabase && store.tls == nil)
    #expect(store.description == "sentinel:m@a:26379,10.0.0.2:1,[::1]:2/0")
  }

  @Test func `logins and TLS of sentinels and of the store are apart`() throws {
    let store = try store(
      """
      { sentinel: { master: m, nodes: [a], database: 3, username: s, password: t, tls: {} }, \
      username: u, password: p, tls: { server_name: n } }
      """
    )
    let sentinels = try #require(store.sentinels)
    #expect(sentinels.username == "s" && sentinels.password?.value == "t" && sentinels.tls != nil)
    #expect(store.username == "u" && store.password?.value == "p")
    #expect(store.tls?.settings.serverName == "n" && sentinels.tls?.settings.serverName == nil)
    #expect(store.database == 3 && store.namesDatabase)
  }

  @Test func `instances that share a store count its handshakes each for itself`() throws {
    let yaml = """
      stores: { old: { sentinel: { master: m, nodes: [a], tls: {} }, tls: {} } }
      instances:
        - { name: a, listen: "127.0.0.1:1", secondary: old }
        - { name: b, listen: "127.0.0.1:2", secondary: old }
      """
    let stores = try #require(parse(yaml).configuration).instances.map(\.secondary)
    #expect(stores[0].tls !== stores[1].tls && stores[0].sentinels?.tls !== stores[1].sentinels?.tls)
  }

  @Test(
    arguments: [
      (
        "{ command_timeout: 1s }",
        [
          "14: instances[0].primary: \"url\" is missing; expected a URL such as redis://127.0.0.1:6379/0 or "
            + "unix:///run/redis.sock?db=0, or sentinel"
        ]
      ),
      (
        "{ url: redis://h, sentinel: { master: m, nodes: [a] } }",
        ["42: instances[0].primary.sentinel: the store has a url; give one of them"]
      ),
      (
        "{ sentinel: { nodes: [a] } }",
        ["26: instances[0].primary.sentinel: \"master\" is missing; expected text"]
      ),
      (
        "{ sentinel: { master: m m, nodes: [] } }",
        [
          "36: instances[0].primary.sentinel.master: the name of a master has no spaces",
          "48: instances[0].primary.sentinel.nodes: is empty; expected addresses such as "
            + "[10.0.0.1:26379, 10.0.0.2:26379]",
        ]
      ),
      (
        "{ sentinel: { master: m, nodes: [\"a:0\", \"redis://b\"] } }",
        [
          "47: instances[0].primary.sentinel.nodes: the port has to be a number from 1 to 65535",
          "54: instances[0].primary.sentinel.nodes: the port has to be a number from 1 to 65535",
        ]
      ),
      (
        "{ sentinel: { master: m, nodes: [a], username: u } }",
        ["61: instances[0].primary.sentinel.username: a user name without a password; add password_file"]
      ),
      (
        "{ sentinel: { master: m, nodes: [a], node: x } }",
        ["51: instances[0].primary.sentinel.node: unknown key; did you mean \"nodes\"?"]
      ),
    ]
  ) func `each mistake is named at its key`(primary: String, expected: [String]) {
    #expect(loaded(primary).problems.map(\.description) == expected.map { "sidecar.yml:5:\($0)" })
  }
}
