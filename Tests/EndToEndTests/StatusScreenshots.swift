import Foundation
import TestSupport
import Testing

/// Pictures of the status page for the documents, taken of a real migration of 20 minutes and more. They need Debian's
/// pngquant, and look best with its fonts-inter.
@Suite("Screenshots of the status page")
struct StatusScreenshots {
  /// Where the pictures go; without it none are taken.
  static let folder = ProcessInfo.processInfo.environment["MULTISTORE_SCREENSHOTS"]
  static let reason = "takes 20 minutes; MULTISTORE_SCREENSHOTS=deploy/images swift test --filter StatusScreenshots"

  /// GitHub shows documents about as wide.
  private static let width = 1200
  private static let height = 1160

  @Test(.enabled(if: folder != nil, Comment(rawValue: reason)))
  func `two pictures of one migration`() throws {
    let folder = try #require(Self.folder)
    let deployment = try Deployment()
    let traffic = Traffic(deployment)
    try traffic.fill()
    try deployment.move(to: .dual)
    let page = try Chromium().page(width: Self.width, height: Self.height)
    try page.open("http://\(deployment.sidecar.address(of: "metrics"))/status")

    // The curves are whole, and the misses of the first minutes are still in the window.
    try traffic.run(until: "the window is full") {
      try deployment.criterion("stores_up")?["result"]?.string == "met"
    }
    try page.prefer(.light)
    try eventually("the page shows it") {
      try page.evaluate("document.querySelectorAll('tr.unknown').length") == .number(0)
    }
    try write(page.screenshot(), "\(folder)/status-light.png")
    try traffic.run(until: "all is met") { try deployment.status()["next_step"]?["safe"]?.string == "yes" }
    try page.prefer(.dark)
    try eventually("the page shows it") { try page.text(of: ".answer strong") == "Yes" }
    try write(page.screenshot(), "\(folder)/status-dark.png")
    #expect(try page.complaints() == [])
  }

  private func write(_ picture: [UInt8], _ path: String) throws {
    try Data(picture).write(to: URL(fileURLWithPath: path))
    let outcome = try ChildProcess.run("pngquant", ["--force", "--ext", ".png", "--strip", "256", path])
    #expect(outcome.exit == .status(0), "\(outcome.errors)")
  }
}

/// An application that keeps sessions for four minutes.
private final class Traffic {
  private static let sessions = 20_000
  private static let longestTTL = 240
  /// How long a state is waited for.
  private static let limit = Duration.seconds(40 * 60)

  private let deployment: Deployment

  init(_ deployment: Deployment) {
    self.deployment = deployment
  }

  /// Sessions that were there before the migration, of every age.
  func fill() throws {
    let commands = (0..<Self.sessions).map { number in
      ["SET", "session:\(number)", value, "EX", "\(Int.random(in: 10...Self.longestTTL))"]
    }
    _ = try deployment.secondary.client().pipeline(commands)
  }

  /// Reads and writes about 1,000 times a second until something is so.
  func run(until what: String, _ condition: () throws -> Bool) throws {
    let client = try deployment.client()
    try eventually(what, within: Self.limit) {
      // A look every two seconds is enough.
      for _ in 0..<40 {
        try work(client)
        poll(nil, 0, 50)
      }
      return try condition()
    }
  }

  private func work(_ client: RESPClient) throws {
    for _ in 0..<30 { try client.command("GET", key) }
    for _ in 0..<15 { try client.command("SET", key, value, "EX", "\(Self.longestTTL)") }
    _ = try client.pipeline([["GET", key], ["TTL", key], ["SET", key, value, "EX", "\(Self.longestTTL)"]])
    if Int.random(in: 0..<20) == 0 {
      try client.command("EVAL", "return redis.call('STRLEN', KEYS[1])", "1", key)
      try client.command("SCAN", "0")
    }
  }

  private var key: String { "session:\(Int.random(in: 0..<Self.sessions))" }

  private var value: String { String(repeating: "v", count: 100) }
}
