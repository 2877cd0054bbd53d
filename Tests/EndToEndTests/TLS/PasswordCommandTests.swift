import Foundation
import TestSupport
import Testing

@Suite("Passwords that a program prints")
struct PasswordCommandTests {
  /// Starts a sidecar that gets the store's password from the file `token` of the folder.
  func sidecar(of store: RedisServer, in directory: TemporaryDirectory) throws -> SidecarProcess {
    let configuration = """
      instances:
        - name: sessions
          listen: "unix:\(directory.path("sessions.sock"))"
          secondary: { url: "unix://\(store.socketPath)", password_command: [cat, "\(directory.path("token"))"] }
      """
    return try SidecarProcess(configuration: configuration, in: directory)
  }

  /// The token changes on the server, then where the program finds it, as clients write.
  @Test func `a token that changes costs no command, and is in no output`() throws {
    let directory = try TemporaryDirectory()
    let store = try RedisServer(password: "token-one")
    let administrator = try store.client()
    try directory.write("token-one\n", to: "token")
    let sidecar = try sidecar(of: store, in: directory)
    let client = try sidecar.client(instance: "sessions")
    for token in ["token-two", "token-three"] {
      for number in 0..<100 { try client.expect(["SET", "k\(number)", token], .ok) }
      try administrator.command("CONFIG", "SET", "requirepass", token)
      try directory.write("\(token)\n", to: "token")
      // Connections of their own are made with the new one, though the store refuses what was printed before.
      let watching = try sidecar.client(instance: "sessions")
      try eventually("a new connection is made") { try watching.command("WATCH", "k1") == .ok }
      #expect(try watching.pipeline([["MULTI"], ["GET", "k1"], ["EXEC"]]).last?.elements?.count == 1)
    }
    for number in 0..<100 { #expect(try client.command("GET", "k\(number)") == .text("token-three")) }
    try sidecar.terminate()
    let all = sidecar.log.text + sidecar.output.text
    #expect(!all.contains("token-one") && !all.contains("token-two") && !all.contains("token-three"))
  }

  @Test func `a program that fails is told of, and the store is used once it succeeds`() throws {
    let directory = try TemporaryDirectory()
    let store = try RedisServer(password: "right")
    let sidecar = try sidecar(of: store, in: directory)
    let line = try sidecar.waitForEvent("the failure") { $0.message == "Store unavailable" }
    let reason = "password_command: cat exited with status 1; run it as the sidecar's user to see why"
    #expect(line["reason"]?.string?.hasSuffix(reason) == true, "\(line)")
    try directory.write("right", to: "token")
    try sidecar.waitForEvent("a connection") { $0.message == "Store connected" }
    try sidecar.client(instance: "sessions").expect(["SET", "k", "v"], .ok)
  }

  @Test func `a program that is not there is found before the start`() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      """
      instances:
        - name: sessions
          listen: 127.0.0.1:0
          secondary: { url: redis://h:1, password_command: [./no-such-program] }
      """,
      to: "sidecar.yml"
    )
    let outcome = try SidecarProcess.run(["check-config", "--config.file=\(file)"])
    #expect(outcome.exit == .status(1))
    let text = outcome.output + outcome.errors
    let path = directory.path("./no-such-program")
    #expect(text.contains("password_command: \(path) is no program that can be run here"), "\(text)")
  }
}
