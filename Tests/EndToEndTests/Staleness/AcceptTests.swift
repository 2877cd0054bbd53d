import TestSupport
import Testing

@Suite("Accepting the default store's outdated values")
struct AcceptTests {
  private let why = "the old store burnt down"

  /// The default store has moved to the new one, on which keys are stale, and the old one is gone.
  private func deployment() throws -> Deployment {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    for key in ["a", "b"] { try client.expect(["SET", key, "old"], .ok) }
    try deployment.move(to: .off)
    for key in ["a", "b"] { try client.expect(["SET", key, "new"], .ok) }
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 2)
    try deployment.secondary.client().command("SAVE")
    deployment.secondary.kill()
    try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    try deployment.sidecar.waitForEvent { $0.message.hasPrefix("The default store moved while keys were stale") }
    try deployment.sidecar.setFlag(Deployment.dualFlag, true)
    return deployment
  }

  @Test func `they are served once the operator says so, and go to the other store when it is back`() throws {
    let deployment = try deployment()
    let client = try deployment.client()
    for command in [["GET", "a"], ["APPEND", "b", "+"]] {
      let refusal = try client.command(command).errorText
      #expect(refusal?.contains("MultiStore: ") == true, "\(refusal ?? "")")
    }
    let accept = ["stale", "accept", "--instance=sessions", deployment.adminOption]
    let said = try SidecarProcess.run(accept + ["--why", why], environment: ["SUDO_USER": "", "LOGNAME": "eve"])
    #expect(said.exit == .status(0))
    #expect(said.output.hasPrefix("2 outdated values accepted on the default store of sessions, primary."))
    let line = try deployment.sidecar.waitForEvent { $0.message.hasPrefix("Outdated values of the default store") }
    #expect(line["who"]?.string == "eve" && line["why"]?.string == why && line["stale_keys"]?.number == 2)
    #expect(try client.command("GET", "a") == .text("old"))
    #expect(try client.command("APPEND", "b", "+") == .integer(4))
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 0)
    try deployment.waitForMetric("multistore_stale_keys", ["store": "secondary"], 2)

    try deployment.secondary.restart()
    try eventually("they are the same on the store that is back") {
      try deployment.secondary.client().pipeline([["GET", "a"], ["GET", "b"]]) == [.text("old"), .text("old+")]
    }
  }

  /// The copies that the next process begins reach the store that has been replaced.
  @Test(arguments: [true, false])
  func `a store that was replaced while the sidecar was stopped is no source`(isEmpty: Bool) throws {
    let here = try RestartableSidecar()
    let client = try here.client()
    let keys = (0..<50).map { "k\($0)" }
    _ = try client.pipeline(keys.map { ["SET", $0, "oldest"] })
    if !isEmpty { try here.secondary.client().command("SAVE") }
    _ = try client.pipeline(keys.map { ["SET", $0, "old"] })
    try here.primary.client().command("CONFIG", "SET", "min-replicas-to-write", "1")
    _ = try client.pipeline(keys.map { ["SET", $0, "new"] })
    here.secondary.kill()
    try here.waitForMetric("multistore_store_up", ["store": "secondary"], 0)
    try here.sidecar.setFlag(Deployment.defaultFlag, true)
    try here.sidecar.waitForEvent { $0.message.hasPrefix("The default store moved while keys were stale") }
    try here.primary.client().command("CONFIG", "SET", "min-replicas-to-write", "0")
    try here.stop()
    try here.secondary.restart()
    try here.start()
    if !isEmpty {
      let refusal = try here.client().command("GET", "k0").errorText
      #expect(refusal?.contains("came back as another process") == true, "\(refusal ?? "")")
      let accept = ["stale", "accept", "--instance=sessions", "--why=x", here.sidecar.adminOption]
      #expect(try SidecarProcess.run(accept).output.hasPrefix("50 outdated values accepted"))
    }
    // Until it is known that the store is empty, its values might be the newer ones.
    let old = Array(repeating: RESPReply.text("old"), count: 50)
    try eventually("the new store's values are read") {
      try here.client().pipeline(keys.map { ["GET", $0] }) == old
    }
    try eventually("the store that is back has them") {
      try here.secondary.client().pipeline(keys.map { ["GET", $0] }) == old
    }
  }

  @Test func `without stale keys nothing is changed, and mistakes are refused in words`() throws {
    let deployment = try Deployment(.dual)
    func accept(_ options: String...) throws -> ProcessOutcome {
      try SidecarProcess.run(["stale", "accept", deployment.adminOption] + options)
    }
    let none = try accept("--instance=sessions", "--why=x")
    #expect(none.exit == .status(0) && none.output.hasSuffix("nothing was changed.\n"))
    let unknown = try accept("--instance=nobody", "--why=x")
    #expect(unknown.exit == .status(1) && unknown.errors.contains("Known instances: sessions"))
    let missing = try accept("--instance=sessions")
    #expect(missing.exit == .status(64) && missing.errors.contains("--why is missing"))
    #expect(try deployment.sidecar.get("/api/v4/stale/accept").status == 404)
  }
}
