import Foundation
import TestSupport
import Testing

@testable import TLS

/// An authority, and the certificates that the tests of the engine need, in a folder of their own.
struct Certificates {
  let directory: TemporaryDirectory
  let authority: CertificateAuthority
  /// The certificate of a server for 127.0.0.1 and localhost.
  private let issued: CertificateAuthority.Certificate

  init() throws {
    directory = try TemporaryDirectory()
    authority = try CertificateAuthority("engine", in: directory)
    issued = try authority.issue("localhost", for: .server)
  }

  /// Returns credentials of a server with this certificate.
  func server(
    _ certificate: CertificateAuthority.Certificate,
    _ change: (inout TLSSettings) -> Void = { _ in }
  ) throws -> TLSCredentials {
    var settings = TLSSettings(certificate: try bytes(certificate.certificate), key: try bytes(certificate.key))
    change(&settings)
    return try TLSCredentials(settings)
  }

  /// Returns credentials of a server for 127.0.0.1 and localhost.
  func server(_ change: (inout TLSSettings) -> Void = { _ in }) throws -> TLSCredentials {
    try server(issued, change)
  }

  /// Returns a client that trusts the authority.
  func client(_ change: (inout TLSClientSettings) -> Void = { _ in }) -> TLSClient {
    var settings = TLSClientSettings()
    settings.authorityFile = authority.certificate
    change(&settings)
    return TLSClient(settings)
  }
}

func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

extension TLSEngine {
  func write(_ text: String) { write(Array(text.utf8).span) }
}

/// A client's and a server's engine whose outputs are each other's inputs.
final class EnginePair {
  let client: TLSEngine
  let server: TLSEngine
  /// The plaintext that has arrived.
  private(set) var atClient: [UInt8] = []
  private(set) var atServer: [UInt8] = []

  convenience init(_ client: TLSClient, _ server: TLSCredentials, host: String = "localhost") throws {
    try self.init(client, server.makeEngine(), host: host)
  }

  init(_ client: TLSClient, _ server: TLSEngine, host: String = "localhost") throws {
    self.client = try client.makeEngine(host: host)
    self.server = server
    self.client.begin()
    self.server.begin()
  }

  /// Passes all output on in pieces of `fragment` bytes, until neither side has any.
  func exchange(fragment: Int = .max) {
    while client.outputCount + server.outputCount > 0 {
      let toServer = client.takeOutput(limit: fragment)
      if !toServer.isEmpty { atServer += server.receive(toServer) }
      let toClient = server.takeOutput(limit: fragment)
      if !toClient.isEmpty { atClient += client.receive(toClient) }
    }
  }
}
