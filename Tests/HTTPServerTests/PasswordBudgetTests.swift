import Foundation
import HTTPTestSupport
import Sockets
import Synchronization
import Testing

@testable import HTTPServer

/// A clock that stands still except during a check, and counts the checks. Every password but one is wrong.
private final class Checker: Sendable {
  static let right = "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ=="

  private let state = Mutex((time: ContinuousClock.now, checks: 0, duration: Duration.zero))

  /// The time that each of the next checks takes.
  var duration: Duration {
    get { state.withLock { $0.duration } }
    set { state.withLock { $0.duration = newValue } }
  }

  var checks: Int { state.withLock { $0.checks } }

  func wait(_ duration: Duration) { state.withLock { $0.time += duration } }

  func authentication() throws -> BasicAuthentication {
    let hash = try PasswordHash("$2b$04$m9Shvsl7M18OOjGEVZLYF.k2IR6Q/M6lQAoCKAzlZ.omJOkp7dAc2")
    return BasicAuthentication(
      users: ["alice": hash, "bob": hash],
      now: { self.state.withLock { $0.time } },
      check: { _, password in self.check(password) }
    )
  }

  private func check(_ password: String) -> Bool {
    state.withLock { state in
      state.time += state.duration
      state.checks += 1
    }
    return password == "correct horse"
  }

  /// The header of another wrong password for each number.
  static func wrong(_ number: Int) -> String { "Basic \(Data("alice:\(number)".utf8).base64EncodedString())" }
}

@Suite("Budgets for passwords")
struct PasswordBudgetTests {
  private let scraper = PeerNetwork.ipv4(1)
  private let attacker = PeerNetwork.ipv4(2)

  @Test func `an address that has used up its budget cannot tell a right password from a wrong one`() throws {
    let checker = Checker()
    let authentication = try checker.authentication()
    #expect(authentication.verdict(on: Checker.right, from: scraper) == .accepted)
    // Known to be right at this address, too.
    #expect(authentication.verdict(on: Checker.right, from: attacker) == .accepted)
    checker.duration = .seconds(2)
    #expect(authentication.verdict(on: Checker.wrong(0), from: attacker) == .refused)
    let checks = checker.checks
    for header in [Checker.right, Checker.wrong(0), Checker.wrong(1), "Basic YTph"] {
      #expect(authentication.verdict(on: header, from: attacker) == .overloaded)
    }
    #expect(authentication.verdict(on: Checker.right, from: scraper) == .accepted)
    #expect(checker.checks == checks)
    checker.wait(.seconds(100))
    #expect(authentication.verdict(on: Checker.right, from: attacker) == .accepted)
    #expect(authentication.verdict(on: Checker.wrong(1), from: attacker) == .refused)
  }

  @Test func `a password that is right at one address is not known at another`() throws {
    let checker = Checker()
    let authentication = try checker.authentication()
    #expect(authentication.verdict(on: Checker.right, from: scraper) == .accepted)
    checker.duration = .seconds(2)
    // The time of all is used up from a third address; nothing is checked any more.
    #expect(authentication.verdict(on: Checker.wrong(0), from: .ipv6(3)) == .refused)
    #expect(authentication.verdict(on: Checker.right, from: attacker) == .overloaded)
    #expect(authentication.verdict(on: Checker.wrong(1), from: attacker) == .overloaded)
    #expect(authentication.verdict(on: Checker.right, from: scraper) == .accepted)
  }

  @Test func `guesses are counted although the time of all is used up`() throws {
    let checker = Checker()
    let authentication = try checker.authentication()
    // The attacker shares the scraper's address, and keeps the time of all used up from another one.
    #expect(authentication.verdict(on: Checker.right, from: scraper) == .accepted)
    checker.duration = .milliseconds(100)
    let refused = (0..<100).prefix { authentication.verdict(on: Checker.wrong($0), from: attacker) == .refused }
    #expect(refused.count < 100)
    let checks = checker.checks
    for number in 100..<109 {
      #expect(authentication.verdict(on: Checker.right, from: scraper) == .accepted)
      #expect(authentication.verdict(on: Checker.wrong(number), from: scraper) == .overloaded)
    }
    for number in 109..<111 {
      #expect(authentication.verdict(on: Checker.wrong(number), from: scraper) == .overloaded)
    }
    #expect(authentication.verdict(on: Checker.right, from: scraper) == .overloaded)
    #expect(checker.checks == checks)
  }

  @Test func `the first check of a right password does not keep its owner out, however long it takes`() throws {
    let checker = Checker()
    let authentication = try checker.authentication()
    checker.duration = .seconds(10)
    for _ in 0..<3 { #expect(authentication.verdict(on: Checker.right, from: scraper) == .accepted) }
    #expect(checker.checks == 1)
    #expect(authentication.verdict(on: Checker.right, from: nil) == .overloaded)
  }

  @Test func `a password that was wrong is not checked again, until many others have been`() throws {
    let checker = Checker()
    let authentication = try checker.authentication()
    #expect(authentication.verdict(on: Checker.wrong(0), from: attacker) == .refused)
    #expect(authentication.verdict(on: Checker.wrong(0), from: attacker) == .refused)
    #expect(checker.checks == 1)
    for number in 1...153 { #expect(authentication.verdict(on: Checker.wrong(number), from: attacker) == .refused) }
    #expect(checker.checks == 154)
    #expect(authentication.verdict(on: Checker.wrong(0), from: attacker) == .refused)
    #expect(checker.checks == 155)
  }

  @Test func `budgets of many addresses are bounded, and the emptiest is kept`() {
    var ledger = PasswordLedger()
    let now = ContinuousClock.now
    let wrong: PasswordLedger.Digest = [1]
    ledger.note(wrong, isRight: false, from: attacker, took: .seconds(2), at: now)
    for address in 10..<UInt32(10 + 2 * PasswordLedger.networkLimit) {
      ledger.note(wrong, isRight: false, from: .ipv4(address), took: .milliseconds(70), at: now)
    }
    #expect(ledger.byNetwork.count == PasswordLedger.networkLimit)
    #expect(ledger.verdict(on: wrong, from: attacker, at: now) == .overloaded)
    // All are full again after a while, and forgotten with the next wrong password.
    ledger.note(wrong, isRight: false, from: scraper, took: .milliseconds(70), at: now + .seconds(100))
    ledger.note(wrong, isRight: false, from: attacker, took: .milliseconds(70), at: now + .seconds(100))
    #expect(ledger.byNetwork.count <= 2)
  }

  @Test func `over HTTP the address decides, and probes are answered to everybody`() throws {
    let checker = Checker()
    let probe = HTTPRoute([.get], "/probe", requiresAuthorization: false) { _ in .text("Well.") }
    let server = try HTTPServer.onLoopback(
      [textRoute("/hello", "Hello."), probe],
      access: HTTPAccess(authorization: .basic(checker.authentication()))
    )
    func status(_ password: String, from address: String) throws -> Int {
      try server.curl("/hello", "-u", "alice:\(password)", "--interface", address).status
    }
    #expect(try status("correct horse", from: "127.0.0.1") == 200)
    #expect(try status("correct horse", from: "127.0.0.2") == 200)
    checker.duration = .seconds(2)
    #expect(try status("guess", from: "127.0.0.2") == 401)
    for password in ["other guess", "correct horse"] {
      let refused = try server.curl("/hello", "-u", "alice:\(password)", "--interface", "127.0.0.2")
      #expect(refused.status == 429)
      #expect(refused.header("Retry-After") == "1")
    }
    #expect(try status("correct horse", from: "127.0.0.1") == 200)
    #expect(try server.curl("/probe", "--interface", "127.0.0.2").status == 200)
  }
}
