import HTTPServer
import HTTPTestSupport
import Sidecar
import Sockets
import TLS
import TestSupport
import Testing

@testable import multistore_exporter

@Suite("Client of the admin API over TLS")
struct AdminTLSTests {
  let directory: TemporaryDirectory
  let authority: CertificateAuthority

  init() throws {
    directory = try TemporaryDirectory()
    authority = try CertificateAuthority("admin", in: directory)
  }

  func serve(
    _ certificate: CertificateAuthority.Certificate,
    _ change: (inout TLSServerSettings) -> Void = { _ in }
  ) throws -> HTTPServer {
    var settings = TLSServerSettings(certificateFile: certificate.certificate, keyFile: certificate.key)
    change(&settings)
    let long = HTTPRoute([.get], "/long") { _ in .text(String(repeating: "x", count: 200_000)) }
    let echo = HTTPRoute([.post], "/echo") { .text($0.form.map { "\($0.name)=\($0.value)" }.joined(separator: "|")) }
    return try .onLoopback([textRoute("/hello", "Hello."), long, echo], access: HTTPAccess(tls: TLSServer(settings)))
  }

  func client(
    _ server: HTTPServer,
    timeout: Duration = .seconds(10),
    _ change: (inout TLSClientSettings) -> Void = { _ in }
  ) -> AdminClient {
    var settings = TLSClientSettings()
    settings.authorityFile = authority.certificate
    change(&settings)
    return AdminClient(address: server.boundAddress, tls: settings, timeout: timeout)
  }

  /// The sentence with which a request fails.
  func failure(_ client: AdminClient) -> String? {
    let error = #expect(throws: AdminClientError.self) { try client.get("/hello") }
    return error?.message(flag: "--admin.listen-address")
  }

  @Test func `requests and long answers pass as they do without`() throws {
    let server = try serve(authority.issue("server", for: .server))
    #expect(try client(server).get("/hello") == AdminResponse(status: 200, body: "Hello.\n"))
    #expect(try client(server).get("/long").body.count == 200_001)
    let form = [HTTPField("value", String(repeating: "v", count: 50_000))]
    #expect(try client(server).post("/echo", form: form).body.count == 50_007)
  }

  @Test func `a certificate that is not accepted is explained, with the option that may help`() throws {
    let server = try serve(authority.issue("server", for: .server))
    let secure = "there is no secure connection to https://\(server.boundAddress): "
    let stranger = try CertificateAuthority("stranger", in: directory)
    #expect(
      failure(client(server) { $0.authorityFile = stranger.certificate }) == secure
        + "the certificate is signed by CN=admin, which is not trusted; name its file with --admin.ca-file"
    )
    // Without an option it is the system's authorities that count, and they do not know it either.
    #expect(failure(client(server) { $0.authorityFile = nil })?.contains("--admin.ca-file") == true)
    #expect(
      failure(client(server) { $0.serverName = "admin.example.com" }) == secure
        + "the certificate is for 127.0.0.1, localhost, not admin.example.com; if that is the sidecar, give its name "
        + "with --admin.server-name"
    )
    let expired = try serve(authority.issue("expired", for: .server, days: -1))
    #expect(failure(client(expired))?.contains("has expired; its own end is ") == true)
    let named = try serve(authority.issue("named", for: .server, names: ["DNS:admin.example.com"]))
    #expect(try client(named) { $0.serverName = "admin.example.com" }.get("/hello").status == 200)
  }

  @Test func `a client's certificate is shown where it is asked for`() throws {
    let server = try serve(authority.issue("server", for: .server)) {
      $0.clientAuthorityFile = authority.certificate
      $0.clientAuthentication = .require
    }
    let without = try client(server).get("/hello")
    #expect(without == AdminResponse(status: 403, body: "This needs a client certificate.\n"))
    let own = try authority.issue("operator", for: .client)
    let answer = try client(server) {
      $0.certificateFile = own.certificate
      $0.keyFile = own.key
    }
    .get("/hello")
    #expect(answer.status == 200)
  }

  @Test func `HTTP where TLS is spoken, and the other way round, is explained`() throws {
    let server = try serve(authority.issue("server", for: .server))
    let address = server.boundAddress
    #expect(
      failure(AdminClient(address: address))?
        .hasSuffix("if it has admin.tls, write https://\(address), or else look at the flags before you try again")
        == true
    )
    let plain = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")])
    // Whether a server without TLS answers a ClientHello or closes the connection depends on its random bytes.
    let reason = try #require(failure(client(plain)))
    #expect(reason.hasPrefix("there is no secure connection to https://\(plain.boundAddress): "))
    #expect(reason.hasSuffix("; the port may be one without TLS"))
  }

  @Test func `a server that does not continue the handshake is given up in time`() throws {
    let silent = try ListeningSocket(.tcp(host: "127.0.0.1", port: 0), .init(backlog: 1))
    let client = AdminClient(address: silent.boundAddress, tls: TLSClientSettings(), timeout: .milliseconds(200))
    let error = #expect(throws: AdminClientError.self) { try client.get("/") }
    #expect(error?.kind == .timedOut)
  }

  @Test(
    "addresses are read as they are written",
    arguments: [
      ("127.0.0.1:9737", false, "127.0.0.1"), ("https://cache.example.com:9737", true, "cache.example.com"),
      ("https://[::1]:9737", true, "::1"), ("https://:9737", true, "localhost"), ("0.0.0.0:9737", false, "localhost"),
      ("unix:/run/admin.sock", false, nil),
    ]
  )
  func addresses(text: String, usesTLS: Bool, host: String?) throws {
    let address = try AdminAddress(parsing: text)
    #expect(address.usesTLS == usesTLS)
    #expect(address.clientHost == host)
    #expect(address.description == text)
  }

  @Test(
    "what is no address is said with the forms that there are",
    arguments: [
      ("https://host", "the port is missing; write HOST:PORT"), ("https://unix:/x", "a unix socket has no TLS"),
      ("http://host:1", "an IPv6 address has to be in brackets"),
      ("https://host:1/path", "the port has to be a number"),
    ]
  )
  func mistakes(text: String, words: String) {
    let error = #expect(throws: AdminAddressError.self) { try AdminAddress(parsing: text) }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
  }
}
