import Foundation
import TestSupport
import Testing

@testable import TLS

@Suite("TLS client's files")
struct TLSClientTests {
  let certificates: Certificates

  init() throws {
    certificates = try Certificates()
  }

  func mistake(_ change: (inout TLSClientSettings) throws -> Void) throws -> TLSClientError? {
    var settings = TLSClientSettings()
    settings.authorityFile = certificates.authority.certificate
    try change(&settings)
    do throws(TLSClientError) {
      _ = try TLSClient.check(settings)
      return nil
    } catch {
      return error
    }
  }

  @Test func `mistakes are found at their settings`() throws {
    let issued = try certificates.authority.issue("one", for: .client)
    let other = try certificates.authority.issue("other", for: .client)
    let garbage = try certificates.directory.write("no PEM", to: "garbage")
    #expect(try mistake { _ in } == nil)
    #expect(try mistake { $0.authorityFile = "/no/such" }?.reason == "cannot read /no/such: No such file or directory")
    #expect(try mistake { $0.authorityFile = garbage }?.part == .authorityFile)
    #expect(try mistake { $0.authorityFolder = "/no/such" }?.part == .authorityFolder)
    #expect(try mistake { $0.certificateFile = issued.certificate }?.part == .keyFile)
    #expect(try mistake { $0.ciphers = "NO-SUCH" }?.part == .ciphers)
    #expect(try mistake { $0.ciphers = "SECURE256" } == nil)
    let pairs: [(String, String, TLSClientError.Part?)] = [
      (issued.certificate, issued.key, nil), (garbage, issued.key, .certificateFile),
      (issued.certificate, garbage, .keyFile), (issued.certificate, other.key, .keyFile),
    ]
    for (certificate, key, part) in pairs {
      let found = try mistake {
        $0.certificateFile = certificate
        $0.keyFile = key
      }
      #expect(found?.part == part, "\(String(describing: found))")
    }
  }

  @Test func `a key may be encrypted`() throws {
    let issued = try certificates.authority.issue("one", for: .client)
    let key = certificates.directory.path("encrypted.key")
    let arguments = ["pkey", "-in", issued.key, "-out", key, "-aes256", "-passout", "pass:hunter2"]
    try #require(try ChildProcess.run("openssl", arguments).exit == .status(0))
    for (password, part) in [(nil, .keyFile), ("wrong\n", .keyPasswordFile), ("hunter2\n", nil)]
      as [(String?, TLSClientError.Part?)]
    {
      let found = try mistake { settings in
        settings.certificateFile = issued.certificate
        settings.keyFile = key
        settings.keyPasswordFile = try password.map { try certificates.directory.write($0, to: "password") }
      }
      #expect(found?.part == part, "\(String(describing: found))")
      #expect(found?.reason.contains("hunter2") != true)
    }
  }

  @Test func `the expirations are reported`() throws {
    let issued = try certificates.authority.issue("old", for: .client, days: -1)
    var settings = TLSClientSettings()
    settings.authorityFile = certificates.authority.certificate
    settings.certificateFile = issued.certificate
    settings.keyFile = issued.key
    let expirations = try TLSClient.check(settings)
    let now = Int(Date().timeIntervalSince1970)
    #expect(try #require(expirations.certificate) < now)
    #expect(try #require(expirations.authorities) > now)
  }

  @Test func `a file that changes is used for the next connection`() throws {
    let file = certificates.directory.path("trusted.pem")
    let stranger = try CertificateAuthority("stranger", in: certificates.directory)
    try FileManager.default.copyItem(atPath: stranger.certificate, toPath: file)
    let client = certificates.client { $0.authorityFile = file }
    let server = try certificates.server()
    let isAccepted = {
      let pair = try EnginePair(client, server)
      pair.exchange()
      return pair.client.isWritable
    }
    #expect(try !isAccepted())
    // A symbolic link over the file, as Kubernetes swaps them.
    let trusted = certificates.authority.certificate
    try FileManager.default.createSymbolicLink(atPath: "\(file).new", withDestinationPath: trusted)
    #expect(rename("\(file).new", file) == 0)
    #expect(try isAccepted())
    #expect(client.reloadProblem == nil)
    // A file in the middle of its replacement.
    #expect(unlink(file) == 0)
    try certificates.directory.write("", to: "trusted.pem")
    #expect(try isAccepted())
    #expect(client.reloadProblem?.contains("has no certificate") == true)
    try Data(contentsOf: URL(fileURLWithPath: stranger.certificate)).write(to: URL(fileURLWithPath: file))
    #expect(try !isAccepted())
    #expect(client.reloadProblem == nil)
  }

  @Test func `without any usable file there is no engine`() throws {
    let client = certificates.client { $0.authorityFile = "/no/such" }
    let failure = #expect(throws: TLSFailure.self) { try client.makeEngine(host: "localhost") }
    #expect(failure?.reason == .credentials)
    #expect(failure?.message == "cannot read /no/such: No such file or directory")
  }
}
