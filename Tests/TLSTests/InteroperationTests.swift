import Foundation
import Synchronization
import TestSupport
import Testing

@testable import TLS

/// The engine against the command line tools of OpenSSL and of GnuTLS.
@Suite("TLS with other implementations")
struct InteroperationTests {
  let certificates: Certificates
  let issued: CertificateAuthority.Certificate

  init() throws {
    certificates = try Certificates()
    issued = try certificates.authority.issue("server", for: .server)
  }

  static func option(_ version: TLSSettings.Version) -> String { version == .tls12 ? "-tls1_2" : "-tls1_3" }

  /// A server of `openssl s_server` that runs until the object goes.
  struct Server {
    let process: ChildProcess
    let output: LogLines
    let errors: LogLines
    let input = Pipe()
    let port: UInt16

    init(_ program: String, _ arguments: (UInt16) -> [String], ready: String) throws {
      port = try freePort()
      let reading = input.fileHandleForReading.fileDescriptor
      (process, output, errors) = try ChildProcess.captured(program, arguments(port), environment: [:], input: reading)
      let (output, errors) = (output, errors)
      try eventually("\(program) is ready") { output.text.contains(ready) || errors.text.contains(ready) }
    }

    func type(_ text: String) throws { try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }
  }

  func openssl(_ arguments: [String]) throws -> Server {
    try Server(
      "openssl",
      { ["s_server", "-accept", "127.0.0.1:\($0)", "-cert", issued.certificate, "-key", issued.key] + arguments },
      ready: "ACCEPT"
    )
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `a client of openssl's server resumes its session`(version: TLSSettings.Version) throws {
    let server = try openssl(["-rev", Self.option(version)])
    let client = certificates.client()
    for isResumed in [false, true, true] {
      let connection = try EngineConnection(client, port: server.port)
      try connection.send("hello\n")
      try connection.expect("olleh")
      #expect(connection.engine.info?.isResumed == isResumed)
      #expect(connection.engine.info?.version == (version == .tls12 ? "TLS1.2" : "TLS1.3"))
      #expect(connection.engine.info?.peerExpiration != nil)
      try connection.close()
    }
  }

  @Test func `openssl's server changes its keys and requests new ones`() throws {
    let server = try openssl(["-tls1_3"])
    let connection = try EngineConnection(certificates.client(), port: server.port)
    for round in ["K", "k", "K"] {
      try server.type("before\n")
      try connection.expect("before")
      try server.type("\(round)\n")
      // What is typed before the server has changed its keys is dropped.
      try connection.readOnce()
      try server.type("after\n")
      try connection.expect("after")
      try connection.send("answer to \(round)\n")
      try eventually("the server has read it") { server.output.text.contains("answer to \(round)") }
    }
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `a server that requires a client certificate says so`(version: TLSSettings.Version) throws {
    let server = try openssl(["-Verify", "1", "-CAfile", certificates.authority.certificate, Self.option(version)])
    let failure = #expect(throws: TLSFailure.self) {
      let connection = try EngineConnection(certificates.client(), port: server.port)
      // In TLS 1.3 this side's handshake is done before the server has looked at the certificate.
      try connection.expect("never")
    }
    #expect(failure?.message.contains("requires a certificate") == true, "\(String(describing: failure))")
    let own = try certificates.authority.issue("client", for: .client)
    let client = certificates.client {
      $0.certificateFile = own.certificate
      $0.keyFile = own.key
    }
    let connection = try EngineConnection(client, port: server.port)
    try connection.send("with certificate\n")
    try eventually("the server has read it") { server.output.text.contains("with certificate") }
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `a client of gnutls-serv`(version: TLSSettings.Version) throws {
    let priority = version == .tls12 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2" : "NORMAL:-VERS-ALL:+VERS-TLS1.3"
    let server = try Server(
      "gnutls-serv",
      {
        ["--echo", "--port", String($0), "--x509certfile", issued.certificate, "--x509keyfile", issued.key]
          + ["--disable-client-cert", "--priority", priority]
      },
      ready: "listening"
    )
    let client = certificates.client()
    for isResumed in [false, true] {
      let connection = try EngineConnection(client, port: server.port)
      try connection.send("echo this\n")
      try connection.expect("echo this")
      #expect(connection.engine.info?.isResumed == isResumed)
      try connection.close()
    }
  }

  /// A server of one engine per connection that answers each line with itself, and closes after `bye`.
  func echo(_ version: TLSSettings.Version) throws -> ScriptedServer {
    let credentials = try certificates.server(issued) { $0.maximumVersion = version }
    return try ScriptedServer(tcp: true) { socket in
      let connection = try EngineConnection(credentials, on: socket)
      while true {
        let line = try connection.readLine()
        try connection.send("echo: \(line)\n")
        if line == "bye" { break }
      }
      try connection.close()
      try connection.readToEnd()
    }
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `a server for openssl's client`(version: TLSSettings.Version) throws {
    let server = try echo(version)
    guard case .port(let port) = server.address else { return }
    let input = Pipe()
    let (process, output, errors) = try ChildProcess.captured(
      "openssl",
      ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", certificates.authority.certificate]
        + ["-verify_return_error", "-verify_ip", "127.0.0.1", Self.option(version)],
      environment: [:],
      input: input.fileHandleForReading.fileDescriptor
    )
    let type = { (text: String) in try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }
    try type("one\n")
    try eventually("the echo has come") { output.text.contains("echo: one") }
    // K changes the client's keys, and requests new ones of the server.
    if version == .tls13 {
      try type("K\n")
      // What is typed before that is dropped.
      try eventually("new keys are there") { errors.text.contains("KEYUPDATE") }
    }
    try type("two\n")
    try eventually("the echo has come") { output.text.contains("echo: two") }
    try type("bye\n")
    #expect(try process.waitForExit() == .status(0), "\(output.text)")
    try output.waitForEnd()
    #expect(output.text.contains("Verify return code: 0 (ok)"))
    #expect(output.text.contains("echo: bye"))
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `a server for gnutls-cli`(version: TLSSettings.Version) throws {
    let server = try echo(version)
    guard case .port(let port) = server.address else { return }
    let input = Pipe()
    let (process, output, errors) = try ChildProcess.captured(
      "gnutls-cli",
      ["--x509cafile", certificates.authority.certificate, "--inline-commands", "--port", String(port), "localhost"],
      environment: [:],
      input: input.fileHandleForReading.fileDescriptor
    )
    let type = { (text: String) in try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }
    try type("one\n")
    try eventually("the echo has come: \(errors.text)") { output.text.contains("echo: one") }
    if version == .tls13 { try type("^rekey^\n") }
    try type("two\n")
    try eventually("the echo has come") { output.text.contains("echo: two") }
    try type("bye\n")
    #expect(try process.waitForExit() == .status(0), "\(output.text)\(errors.text)")
    try output.waitForEnd()
    #expect(output.text.contains("Status: The certificate is trusted"))
    #expect(output.text.contains("Peer has closed the GnuTLS connection"))
  }
}
