import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Stores with TLS")
struct TLSStoreTests {
  let directory: TemporaryDirectory
  let authority: CertificateAuthority

  init() throws {
    directory = try TemporaryDirectory()
    authority = try CertificateAuthority("stores", in: directory)
  }

  /// Starts a sidecar in dual write, and waits until it is connected to both stores.
  func sidecar(primary: String, secondary: String, waits: Bool = true) throws -> SidecarProcess {
    let configuration = """
      instances:
        - name: sessions
          listen: "unix:\(directory.path("sessions.sock"))"
          primary: \(primary)
          secondary: \(secondary)
          other_store_timeout: 60s
      """
    let sidecar = try SidecarProcess(configuration: configuration, in: directory)
    guard waits else { return sidecar }
    try sidecar.waitForStores()
    try sidecar.setFlag(Deployment.dualFlag, true)
    return sidecar
  }

  /// What threads with clients have in common with the test that ends them.
  private final class Progress: Sendable {
    let isOver = Atomic(false)
    let rounds = Atomic(0)
  }

  func tls(_ more: String = "") -> String { "tls: { ca_file: \"\(authority.certificate)\"\(more) }" }

  @Test func `dual writes, blocked commands, transactions and subscriptions use it`() throws {
    let issued = try authority.issue("server", for: .server)
    let own = try authority.issue("client", for: .client)
    let primary = try TLSRedis(issued, authority: authority, clients: .required, password: "primary")
    let secondary = try TLSRedis(issued, authority: authority)
    let certificate = ", cert_file: \"\(own.certificate)\", key_file: \"\(own.key)\""
    let sidecar = try sidecar(
      primary: "{ url: \"rediss://:primary@127.0.0.1:\(primary.port)\", \(tls(certificate)) }",
      secondary: "{ url: \"rediss://localhost:\(secondary.port)\", \(tls()) }"
    )
    try inThreads(4) { thread in
      let client = try sidecar.client(instance: "sessions")
      for round in 0..<50 {
        try client.expect(["SET", "\(thread):\(round)", String(repeating: "v", count: round * 1_000)], .ok)
        for reply in try client.pipeline([["RPUSH", "list", "x"], ["MULTI"], ["INCR", "counter"], ["EXEC"]]) {
          try expectNoError(reply)
        }
      }
      try client.expect(["WATCH", "watched"], .ok)
      try expectNoError(client.command("COMMAND", "DOCS", "GET"))
    }
    let (waiting, subscriber) = (try sidecar.client(instance: "sessions"), try sidecar.client(instance: "sessions"))
    try waiting.send("BLPOP queue 0\r\n")
    try subscriber.send("SUBSCRIBE news\r\n")
    #expect(try subscriber.readReply() == .array([.text("subscribe"), .text("news"), .integer(1)]))
    let client = try sidecar.client(instance: "sessions")
    try client.expect(["RPUSH", "queue", "job"], .integer(1))
    #expect(try waiting.readReply() == .array([.text("queue"), .text("job")]))
    try expectNoError(client.command("PUBLISH", "news", "hello"))
    #expect(try subscriber.readReply() == .array([.text("message"), .text("news"), .text("hello")]))
    let stores = (try primary.redis.client(), try secondary.redis.client())
    for command in [["DBSIZE"], ["GET", "3:49"], ["GET", "counter"], ["LLEN", "list"], ["LLEN", "queue"]] {
      #expect(try stores.0.command(command) == stores.1.command(command), "\(command)")
    }
    #expect(try stores.0.command("GET", "counter") == .text("200"))
  }

  /// Certificates of the server, of its clients and of the authority are all replaced while clients write, on
  /// connections that are made meanwhile too: each WATCH of a client gets one of its own.
  @Test func `a rotation of all certificates fails no command`() throws {
    let next = try CertificateAuthority("next", in: directory)
    let both = try directory.write(
      try [authority, next].map { try String(contentsOfFile: $0.certificate, encoding: .utf8) }.joined(),
      to: "both.pem"
    )
    let names = ["ca.pem", "own.pem", "own.key"].map { directory.path($0) }
    let install = { (path: String, name: String) in try replaceFile(name, by: path) }
    let oldClient = try authority.issue("client", for: .client)
    let newClient = try next.issue("next-client", for: .client)
    for (path, name) in zip([authority.certificate, oldClient.certificate, oldClient.key], names) {
      try install(path, name)
    }
    let issued = try authority.issue("server", for: .server)
    let store = try TLSRedis(issued, authority: authority, clients: .required, settings: ["tls-ca-cert-file \(both)"])
    let plain = try RedisServer()
    let settings = "tls: { ca_file: \(names[0]), cert_file: \(names[1]), key_file: \(names[2]) }"
    let sidecar = try sidecar(
      primary: "{ url: \"\(plain.url)\" }",
      secondary: "{ url: \"\(store.url)\", \(settings) }"
    )
    let progress = Progress()
    let threads = Threads(4) { thread in
      while !progress.isOver.load(ordering: .relaxed) {
        let client = try sidecar.client(instance: "sessions")
        try client.expect(["WATCH", "\(thread)"], .ok)
        let replies = try client.pipeline([["MULTI"], ["INCR", "\(thread)"], ["EXEC"], ["INCR", "all"]])
        for reply in replies { try expectNoError(reply) }
        progress.rounds.add(1, ordering: .relaxed)
      }
    }
    let waitForMore = {
      let before = progress.rounds.load(ordering: .relaxed)
      try eventually("clients go on") { progress.rounds.load(ordering: .relaxed) > before + 20 }
    }
    try waitForMore()
    try install(both, names[0])
    try waitForMore()
    try store.use(next.issue("next-server", for: .server))
    try waitForMore()
    // The certificate and its key do not fit for a while.
    try install(newClient.certificate, names[1])
    try waitForMore()
    try install(newClient.key, names[2])
    try install(next.certificate, names[0])
    try waitForMore()
    progress.isOver.store(true, ordering: .relaxed)
    try threads.join()
    #expect(!sidecar.log.text.contains("Store unavailable"), "\(sidecar.log.text.suffix(2_000))")
    #expect(try store.redis.client().command("GET", "all") == plain.client().command("GET", "all"))
  }

  @Test func `the log says why there is no connection, once for each step of the backoff`() throws {
    let issued = try authority.issue("other", for: .server, names: ["DNS:cache.example.com"])
    let store = try TLSRedis(issued, authority: authority)
    let plain = try RedisServer()
    let sidecar = try sidecar(
      primary: "{ url: \"\(store.url)\", \(tls()) }",
      secondary: "{ url: \"\(plain.url)\" }",
      waits: false
    )
    let line = try sidecar.waitForEvent("the failure") { $0.message == "Store unavailable" }
    #expect(
      line["reason"]?.string?.hasSuffix(
        "TLS failed: the certificate is for cache.example.com, not 127.0.0.1; set tls.server_name"
      ) == true,
      "\(line)"
    )
    try store.use(authority.issue("right", for: .server))
    try sidecar.waitForEvent("a connection") {
      $0.message == "Store connected" && $0["store"]?.string == "primary"
    }
  }
}
