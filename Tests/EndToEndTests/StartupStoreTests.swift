import TestSupport
import Testing

@Suite("Stores that are not there, or refuse the login, at the start")
struct StartupStoreTests {
  @Test func `the sidecar starts without its store, says which is missing, and serves once it is there`() throws {
    let store = try RedisServer()
    store.kill()
    let directory = try TemporaryDirectory()
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(in: directory, primary: nil, secondary: store.url),
      in: directory
    )
    #expect(try sidecar.get("/-/healthy").status == 200)
    let unready = try sidecar.get("/-/ready")
    #expect(unready.status == 503)
    #expect(unready.text.contains("sessions") && unready.text.contains("secondary"))
    let client = try sidecar.client(instance: "sessions")
    let error = try client.command("SET", "k", "v").errorText ?? ""
    #expect(error.hasPrefix("ERR MultiStore: secondary store: not connected"), "\(error)")
    #expect(try client.command("PING") == .simple("PONG"))
    try store.restart()
    try eventually("the store is found", within: .seconds(20)) { try sidecar.get("/-/ready").status == 200 }
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try store.client().command("GET", "k") == .text("v"))
  }

  @Test func `a new store that is not there does not keep the old one from being served`() throws {
    let secondary = try RedisServer()
    let directory = try TemporaryDirectory()
    try directory.write(Deployment.flags(.dual), to: "flags.yml")
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(
        in: directory,
        primary: "unix://\(directory.path("nobody.sock"))",
        secondary: secondary.url
      ),
      in: directory
    )
    try eventually { try sidecar.get("/-/ready").status == 200 }
    let client = try sidecar.client(instance: "sessions")
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("GET", "k") == .text("v"))
    #expect(try client.pipeline([["INCR", "n"], ["GET", "k"]]) == [.integer(1), .text("v")])
  }

  @Test func `a wrong password is told once per attempt, not per command, and never shown`() throws {
    let secondary = try RedisServer(password: "right-password")
    let directory = try TemporaryDirectory()
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(
        in: directory,
        primary: nil,
        secondary: secondary.url,
        stores: "password: wrong-password"
      ),
      in: directory
    )
    let client = try sidecar.client(instance: "sessions")
    for _ in 0..<300 {
      let error = try client.command("GET", "k").errorText ?? ""
      #expect(error.hasPrefix("ERR MultiStore: secondary store: "), "\(error)")
    }
    let isRefusal: (LogLine) -> Bool = { $0.message == "Store unavailable" }
    let refusal = try sidecar.waitForEvent("refusal", where: isRefusal)
    #expect(refusal["reason"]?.string?.contains("login") == true)
    #expect(refusal["store"]?.string == "secondary")
    #expect(try sidecar.get("/-/ready").status == 503)
    #expect(try sidecar.terminate() == .status(0))
    #expect(sidecar.log.all.count(where: isRefusal) < 30)
    #expect(!sidecar.log.text.contains("wrong-password"))
  }

  @Test func `a password from a file, of a user, and from the environment opens the store`() throws {
    let secondary = try RedisServer(password: "p@ss w:rd/#", users: ["bob on >bobs-secret ~* &* +@all"])
    let directory = try TemporaryDirectory()
    let file = try directory.write("p@ss w:rd/#\n", to: "password")
    for stores in ["password_file: \"\(file)\"", "username: bob, password: \"${BOBS_PASSWORD}\""] {
      let sidecar = try SidecarProcess(
        configuration: Deployment.configuration(in: directory, primary: nil, secondary: secondary.url, stores: stores),
        in: directory,
        environment: ["BOBS_PASSWORD": "bobs-secret"]
      )
      try eventually { try sidecar.get("/-/ready").status == 200 }
      #expect(try sidecar.client(instance: "sessions").command("SET", "k", "v") == .ok)
      #expect(try sidecar.terminate() == .status(0))
      #expect(!sidecar.log.text.contains("p@ss") && !sidecar.log.text.contains("bobs-secret"))
    }
  }
}
