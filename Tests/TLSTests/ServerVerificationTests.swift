import Foundation
import TestSupport
import Testing

@testable import TLS

@Suite("Verification of servers")
struct ServerVerificationTests {
  let certificates: Certificates

  init() throws {
    certificates = try Certificates()
  }

  /// Shakes hands, and returns the client's engine.
  func shakeHands(
    _ server: TLSCredentials,
    host: String = "localhost",
    _ change: (inout TLSClientSettings) -> Void = { _ in }
  ) throws -> TLSEngine {
    let pair = try EnginePair(certificates.client(change), server, host: host)
    pair.exchange()
    return pair.client
  }

  @Test(arguments: ["localhost", "127.0.0.1", "a.example.com"])
  func `a certificate is accepted for each of its names`(host: String) throws {
    let names = ["DNS:localhost", "IP:127.0.0.1", "DNS:*.example.com"]
    let issued = try certificates.authority.issue("names", for: .server, names: names)
    let engine = try shakeHands(certificates.server(issued), host: host)
    #expect(engine.info != nil, "\(String(describing: engine.failure))")
  }

  @Test func `a certificate for another name is refused, with both names`() throws {
    let issued = try certificates.authority.issue("other", for: .server, names: ["DNS:cache.example.com"])
    let server = try certificates.server(issued)
    let failure = try #require(try shakeHands(server, host: "10.0.0.5").failure)
    #expect(failure.reason == .name)
    #expect(failure.message == "the certificate is for cache.example.com, not 10.0.0.5; set tls.server_name")
    #expect(try shakeHands(server) { $0.serverName = "cache.example.com" }.isWritable)
    #expect(try shakeHands(server) { $0.verification = .ca }.isWritable)
    #expect(try shakeHands(server) { $0.verification = .none }.isWritable)
  }

  @Test func `a certificate without alternative names is shown by its common name`() throws {
    let server = try certificates.server(certificates.authority.issue("common.example.com", for: .server, names: []))
    let failure = try #require(try shakeHands(server).failure)
    #expect(failure.message.contains("is for common.example.com, not localhost"))
  }

  @Test func `an expired certificate is refused, with the time of its end`() throws {
    let server = try certificates.server(certificates.authority.issue("expired", for: .server, days: -1))
    let failure = try #require(try shakeHands(server).failure)
    #expect(failure.reason == .expired)
    #expect(failure.message.contains("has expired") && failure.message.contains(" UTC"), "\(failure)")
    #expect(try shakeHands(server) { $0.verification = .ca }.failure?.reason == .expired)
    #expect(try shakeHands(server) { $0.verification = .none }.isWritable)
  }

  @Test func `a certificate of an unknown authority is refused, with its name`() throws {
    let stranger = try CertificateAuthority("stranger", in: certificates.directory)
    let server = try certificates.server(stranger.issue("strange", for: .server))
    let failure = try #require(try shakeHands(server).failure)
    #expect(failure.reason == .untrusted)
    #expect(failure.message.contains("CN=stranger, which is not trusted; set tls.ca_file"), "\(failure)")
    // The system's authorities do not know it either.
    #expect(try shakeHands(server) { $0.authorityFile = nil }.failure?.reason == .untrusted)
    #expect(try shakeHands(server) { $0.authorityFile = stranger.certificate }.isWritable)
    #expect(try shakeHands(server) { $0.verification = .none }.isWritable)
  }

  @Test func `a client's certificate does not serve`() throws {
    let server = try certificates.server(certificates.authority.issue("client", for: .client))
    #expect(try shakeHands(server).failure?.reason == .certificate)
  }

  @Test func `authorities can be in a folder`() throws {
    let folder = certificates.directory.path("authorities")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try FileManager.default.copyItem(atPath: certificates.authority.certificate, toPath: "\(folder)/a.pem")
    let engine = try shakeHands(certificates.server()) {
      $0.authorityFile = nil
      $0.authorityFolder = folder
    }
    #expect(engine.isWritable)
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `the server sees a client's certificate`(version: TLSSettings.Version) throws {
    let server = try certificates.server {
      $0.clientAuthorities = try? bytes(certificates.authority.certificate)
      $0.clientAuthentication = .requireAndVerify
      $0.maximumVersion = version
    }
    let issued = try certificates.authority.issue("client", for: .client)
    let known = try EnginePair(
      certificates.client {
        $0.certificateFile = issued.certificate
        $0.keyFile = issued.key
      },
      server
    )
    known.exchange()
    #expect(known.server.isWritable && known.server.clientRefusal == nil)
    let unknown = try EnginePair(certificates.client(), server)
    unknown.exchange()
    #expect(unknown.server.clientRefusal == "This needs a client certificate.")
  }
}
