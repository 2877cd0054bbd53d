import Foundation
import HTTPTestSupport
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

@Suite("Users and passwords")
struct BasicAuthenticationTests {
  /// Made by Python's crypt with the fewest rounds that there are.
  private static let alice = "$2b$04$m9Shvsl7M18OOjGEVZLYF.k2IR6Q/M6lQAoCKAzlZ.omJOkp7dAc2"
  private static let password = "correct horse"

  /// Its clock stands still, so that no check uses up a budget for wrong passwords, however long it takes.
  private static func authentication() throws -> BasicAuthentication {
    let now = ContinuousClock.now
    return try BasicAuthentication(users: ["alice": PasswordHash(alice)], now: { now }, check: { $0.matches($1) })
  }

  private static func server(_ access: HTTPAccess) throws -> HTTPServer {
    let probe = HTTPRoute([.get], "/probe", requiresAuthorization: false) { _ in .text("Well.") }
    return try .onLoopback([textRoute("/hello", "Hello."), probe], access: access)
  }

  /// From the test vectors of crypt_blowfish, and from exporter-toolkit, which is written in Go.
  @Test(
    "hashes of other programs are understood",
    arguments: [
      ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
      ("$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"),
      ("$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"),
      ("$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi", "fakepassword"),
      (alice, password),
    ]
  )
  func vectors(text: String, password: String) throws {
    let hash = try PasswordHash(text)
    #expect(hash.matches(password))
    #expect(!hash.matches(password + "x"))
    #expect(!hash.matches(String(password.dropLast())))
    #expect(!hash.matches(password + "\0"))
    #expect("\(hash)" == "<redacted>")
  }

  @Test(
    "what is no bcrypt hash is refused",
    arguments: [
      "", "secret", "$1$abc$def", "$2b$04$short", "$2x$04$m9Shvsl7M18OOjGEVZLYF.k2IR6Q/M6lQAoCKAzlZ.omJOkp7dAc2",
      "$2b$03$m9Shvsl7M18OOjGEVZLYF.k2IR6Q/M6lQAoCKAzlZ.omJOkp7dAc2",
      "$2b$32$m9Shvsl7M18OOjGEVZLYF.k2IR6Q/M6lQAoCKAzlZ.omJOkp7dAc2",
      "$2b$04$m9Shvsl7M18OOjGEVZLYF.k2IR6Q/M6lQAoCKAzlZ.omJOkp7dAc:", "\(alice)2",
    ]
  )
  func noHash(text: String) {
    #expect(throws: PasswordHashError.self) { try PasswordHash(text) }
  }

  @Test("the hash that stands in for unknown users matches nothing, at any cost")
  func unmatchable() throws {
    for cost in [4, 10] {
      let hash = PasswordHash.unmatchable(cost: cost)
      #expect(try PasswordHash(String(hash.bytes)) == hash)
      #expect(!hash.matches("") && !hash.matches("fakepassword"))
    }
  }

  @Test("the right name and password open, anything else gets a challenge, and probes are answered to everybody")
  func requests() throws {
    let server = try Self.server(HTTPAccess(authorization: .basic(Self.authentication())))
    #expect(try server.curl("/hello", "-u", "alice:\(Self.password)").text == "Hello.\n")
    let without = try server.curl("/hello")
    #expect(without.status == 401)
    #expect(without.header("WWW-Authenticate") == "Basic realm=\"multistore-exporter\", charset=\"UTF-8\"")
    for credentials in ["alice:correct", "alice:", "bob:\(Self.password)", ":\(Self.password)"] {
      #expect(try server.curl("/hello", "-u", credentials).status == 401, "\(credentials)")
    }
    for header in ["Basic", "Basic !!!!", "Basic YWxpY2U", "Basic YWxpY2U=", "Bearer x", "Basic /////w=="] {
      #expect(try server.curl("/hello", "-H", "Authorization: \(header)").status == 401, "\(header)")
    }
    #expect(try server.curl("/nowhere").status == 401)
    #expect(try server.curl("/probe").status == 200)
    #expect(server.statistics.deniedRequests == 12)
  }

  @Test(
    "credentials are taken apart at the first colon",
    arguments: [
      ("Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==", "alice", "correct horse"), ("basic YTpiOmM=", "a", "b:c"),
      ("BASIC Og==", "", ""), ("Basic w6Q6w7Y=", "ä", "ö"), ("Basic  YTph", "a", "a"),
    ]
  )
  func credentials(header: String, name: String, password: String) throws {
    let credentials = try #require(BasicCredentials(header: header))
    #expect(credentials.name == name)
    #expect(credentials.password == password)
  }

  @Test("a limit lets bursts through and holds requests to its interval after that")
  func rateLimit() {
    let time = Mutex(ContinuousClock.now)
    let limiter = RateLimiter(RateLimit(interval: .seconds(1), burst: 3)) { time.withLock { $0 } }
    #expect([limiter.admits(), limiter.admits(), limiter.admits(), limiter.admits()] == [true, true, true, false])
    time.withLock { $0 += .seconds(1) }
    #expect([limiter.admits(), limiter.admits()] == [true, false])
    time.withLock { $0 += .seconds(100) }
    #expect([limiter.admits(), limiter.admits(), limiter.admits(), limiter.admits()] == [true, true, true, false])
  }

  @Test("requests over the limit are answered with 429, probes are not limited")
  func limitedRequests() throws {
    let limiter = RateLimiter(RateLimit(interval: .seconds(3600), burst: 2))
    let server = try Self.server(HTTPAccess(rateLimiter: limiter))
    let statuses = try (0..<3).map { _ in try server.curl("/hello").status }
    #expect(statuses == [200, 200, 429])
    #expect(try server.curl("/probe").status == 200)
  }

  @Test("configured header fields are in every answer, in the place of the server's own")
  func headers() throws {
    let fields = [
      HTTPField("X-Frame-Options", "deny"), HTTPField("X-Content-Type-Options", "nosniff"),
      HTTPField("Content-Security-Policy", "default-src 'self'"),
    ]
    let page = HTTPRoute([.get], "/page") { _ in .html("<p>").adding("Content-Security-Policy", "default-src 'none'") }
    let server = try HTTPServer.onLoopback([page], access: HTTPAccess(headers: fields))
    for path in ["/page", "/nowhere"] {
      let answer = try server.curl(path)
      for field in fields {
        #expect(answer.headers.filter { $0.name == field.name }.map(\.value) == [field.value], "\(path)")
      }
      #expect(answer.header("Cache-Control") == "no-store")
    }
  }
}
