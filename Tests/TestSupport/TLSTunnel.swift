/// A way into a port with TLS for a client without it: `socat` listens on a unix socket of the test's folder, and
/// connects to the port for each connection that it accepts. It verifies the port's certificate.
public final class TLSTunnel: Sendable {
  private let path: String
  private let process: ChildProcess

  /// Starts the tunnel.
  ///
  /// - Parameters:
  ///   - port: The port with TLS, on 127.0.0.1.
  ///   - certificate: The certificate of the tunnel's end, as a client; nil for none.
  ///   - name: A part of its socket's name.
  /// - Throws: ``TestSupportError``: `missing` if there is no `socat`, `timedOut` if it does not listen.
  public init(
    to port: UInt16,
    trusting authority: CertificateAuthority,
    certificate: CertificateAuthority.Certificate? = nil,
    in directory: TemporaryDirectory,
    name: String = "tunnel"
  ) throws {
    let path = directory.path("\(name).sock")
    // socat does not know alternative names that are addresses.
    let own = certificate.map { ",cert=\($0.certificate),key=\($0.key)" } ?? ""
    let secured = "OPENSSL:127.0.0.1:\(port),cafile=\(authority.certificate),commonname=localhost\(own)"
    process = try ChildProcess("socat", ["-b", "65536", "UNIX-LISTEN:\(path),fork,backlog=128", secured])
    self.path = path
    // Without a client: socat would begin a connection to the port for it.
    try eventually("socat listens") { try ChildProcess.run("test", ["-S", path]).exit == .status(0) }
  }

  /// A client whose bytes go through the tunnel.
  public func client() throws -> RESPClient { try RESPClient(unix: path) }
}
