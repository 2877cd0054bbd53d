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
  /// - Throws: ``TestSupportError`` with code `missing` if there is no `socat`.
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
  }

  /// A client whose bytes go through the tunnel.
  ///
  /// - Throws: ``TestSupportError`` with code `timedOut` if socat does not listen.
  public func client() throws -> RESPClient {
    var client: RESPClient?
    // Its socket is there a moment before it listens. Looking with a connection would begin one to the port.
    try eventually("socat listens") {
      client = try? RESPClient(unix: path)
      return client != nil
    }
    return client!
  }
}
