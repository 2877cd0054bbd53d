import Foundation
import TestSupport
import Testing

@testable import TLS

@Suite("TLS server's files")
struct TLSServerTests {
  let certificates: Certificates
  let settings: TLSServerSettings

  init() throws {
    certificates = try Certificates()
    let issued = try certificates.authority.issue("served", for: .server)
    settings = TLSServerSettings(certificateFile: issued.certificate, keyFile: issued.key)
  }

  func mistake(_ change: (inout TLSServerSettings) throws -> Void) throws -> TLSSettingsError? {
    var settings = settings
    try change(&settings)
    do throws(TLSSettingsError) {
      _ = try TLSServer.check(settings)
      return nil
    } catch {
      return error
    }
  }

  @Test func `mistakes name the file`() throws {
    let other = try certificates.authority.issue("other", for: .server)
    let garbage = try certificates.directory.write("no PEM", to: "garbage")
    #expect(try mistake { _ in } == nil)
    let cases: [(TLSSettingsError.Part, String, (inout TLSServerSettings) -> Void)] = [
      (.certificate, "cannot read /no/such: No such file or directory", { $0.certificateFile = "/no/such" }),
      (.certificate, "\(garbage) has no certificate in PEM", { $0.certificateFile = garbage }),
      (.key, "\(garbage) has no private key in PEM", { $0.keyFile = garbage }),
      (.key, "\(other.key) does not belong to the certificate", { $0.keyFile = other.key }),
      (.clientAuthorities, "\(garbage) has no certificate in PEM", { $0.clientAuthorityFile = garbage }),
    ]
    for (part, reason, change) in cases {
      #expect(try mistake(change) == TLSSettingsError(part: part, reason: reason))
    }
  }

  /// Connects, and hands the server's tickets to the client.
  func connect(_ client: TLSClient, _ server: TLSServer) throws -> EnginePair {
    let pair = try EnginePair(client, server.makeEngine())
    pair.exchange()
    _ = client.remember(pair.client)
    return pair
  }

  @Test func `files that have changed are used once they fit`() throws {
    let server = TLSServer(settings)
    let before = try #require(server.currentCredentials()?.expiration)
    let next = try certificates.authority.issue("next", for: .server, days: 60)
    let install = { (path: String, target: String) in
      try FileManager.default.removeItem(atPath: target)
      try FileManager.default.copyItem(atPath: path, toPath: target)
    }
    try install(next.certificate, settings.certificateFile)
    #expect(try connect(certificates.client(), server).client.info != nil)
    #expect(server.reloadProblem?.contains("does not belong to the certificate") == true)
    #expect(server.currentCredentials()?.expiration == before)
    try install(next.key, settings.keyFile)
    #expect(try connect(certificates.client(), server).client.info != nil)
    #expect(server.reloadProblem == nil)
    #expect(try #require(server.currentCredentials()?.expiration) > before)
  }

  @Test func `without files there is no connection, until there are`() throws {
    var settings = settings
    settings.certificateFile = certificates.directory.path("late.pem")
    settings.keyFile = certificates.directory.path("late.key")
    let server = TLSServer(settings)
    #expect(throws: TLSFailure.self) { try server.makeEngine() }
    #expect(server.statistics.failures[.credentials] == 1)
    _ = try certificates.authority.issue("late", for: .server)
    #expect(try connect(certificates.client(), server).client.info != nil)
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `a client that resumes its session is who it was`(version: TLSSettings.Version) throws {
    var settings = settings
    settings.clientAuthorityFile = certificates.authority.certificate
    settings.clientAuthentication = .require
    let server = TLSServer(settings)
    let own = try certificates.authority.issue("app", for: .client, names: ["DNS:app.example.com"])
    let client = certificates.client {
      $0.certificateFile = own.certificate
      $0.keyFile = own.key
      if version == .tls12 { $0.ciphers = "NORMAL:-VERS-ALL:+VERS-TLS1.2" }
    }
    for isResumed in [false, true] {
      let pair = try connect(client, server)
      #expect(pair.server.info?.isResumed == isResumed)
      #expect(pair.server.clientRefusal == nil)
      #expect(pair.server.clientNames == ["app", "app.example.com"])
    }
    // Another authority may not accept the client any more.
    settings.clientAuthorityFile = try CertificateAuthority("stricter", in: certificates.directory).certificate
    let stricter = try connect(client, TLSServer(settings))
    #expect(stricter.server.info?.isResumed == false)
    #expect(stricter.server.clientRefusal != nil)
  }

  @Test func `a name counts only if its certificate was verified`() throws {
    let own = try certificates.authority.issue("app", for: .client)
    let client = certificates.client {
      $0.certificateFile = own.certificate
      $0.keyFile = own.key
    }
    let unverified = try certificates.server { $0.clientAuthentication = .requireAny }
    let pair = try EnginePair(client, unverified)
    pair.exchange()
    #expect(pair.server.info != nil)
    #expect(pair.server.clientNames == [])
  }

  /// GnuTLS keeps what has arrived of a message, and anybody can open many connections.
  @Test func `a greeting that is too long is refused while it arrives`() throws {
    let engine = try TLSServer(settings).makeEngine()
    engine.begin()
    let (length, part) = (UInt32(100_000), 1_000)
    let record: [UInt8] = [0x16, 3, 1, UInt8(part >> 8), UInt8(part & 0xff)]
    let header: [UInt8] = [1, UInt8(length >> 16 & 0xff), UInt8(length >> 8 & 0xff), UInt8(length & 0xff)]
    var sent = 0
    while engine.failure == nil, sent < Int(length) {
      let start = sent == 0 ? header : []
      _ = engine.receive(record + start + [UInt8](repeating: 0, count: part - start.count))
      sent += part
    }
    #expect(engine.failure?.reason == .protocol, "\(String(describing: engine.failure))")
    #expect(sent <= 18_000)
  }

  @Test func `the words are a server's`() throws {
    let engine = try TLSServer(settings).makeEngine()
    engine.begin()
    _ = engine.receive(Array("*1\r\n$4\r\nPING\r\n".utf8))
    #expect(engine.failure?.message == "the client does not speak TLS, and this port does")
    let other = try TLSServer(settings).makeEngine()
    other.begin()
    other.transportDidEnd()
    #expect(other.failure?.reason == .closed)
    #expect(!other.hasReceived)
  }
}
