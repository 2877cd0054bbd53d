/// A certificate authority of a test's own, made with openssl. Its files are in the test's folder.
public final class CertificateAuthority: Sendable {
  /// What a certificate may be used for (extendedKeyUsage).
  public enum Purpose: String, Sendable {
    /// Servers.
    case server = "serverAuth"
    /// Clients.
    case client = "clientAuth"
  }

  /// A certificate with its key, as paths of PEM files.
  public struct Certificate: Sendable {
    /// The certificate's file.
    public let certificate: String
    /// The key's file.
    public let key: String
  }

  /// The file with the authority's own certificate.
  public let certificate: String

  private let directory: TemporaryDirectory
  private let key: String

  /// Makes an authority; `name` is a part of its files' names.
  ///
  /// - Throws: ``TestSupportError`` with code `process`, with what openssl said.
  public init(_ name: String, in directory: TemporaryDirectory) throws {
    self.directory = directory
    certificate = directory.path("\(name)-ca.pem")
    key = directory.path("\(name)-ca.key")
    try directory.write("[req]\ndistinguished_name = name\n[name]\n", to: "openssl.cnf")
    try openssl(
      ["req", "-x509", "-subj", "/CN=\(name)", "-out", certificate, "-days", "30"] + newKey(key)
        + ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    )
  }

  /// Makes a certificate.
  ///
  /// - Parameters:
  ///   - name: A part of its files' names.
  ///   - names: Subject alternative names as openssl has them, such as `DNS:localhost`.
  ///   - days: How long it is valid; less than nothing for one that has expired.
  ///   - key: The file of its key; nil for a new one.
  /// - Throws: ``TestSupportError`` with code `process`, with what openssl said.
  public func issue(
    _ name: String,
    for purpose: Purpose,
    names: [String] = ["IP:127.0.0.1", "DNS:localhost"],
    days: Int = 30,
    key: String? = nil
  ) throws -> Certificate {
    let issued = Certificate(certificate: directory.path("\(name).pem"), key: key ?? directory.path("\(name).key"))
    let request = directory.path("\(name).csr")
    let keyOptions = key.map { ["-config", directory.path("openssl.cnf"), "-key", $0] } ?? newKey(issued.key)
    try openssl(["req", "-new", "-subj", "/CN=\(name)", "-out", request] + keyOptions)
    let alternatives = names.isEmpty ? "" : "subjectAltName=\(names.joined(separator: ","))\n"
    let extensions = try directory.write("extendedKeyUsage=\(purpose.rawValue)\n\(alternatives)", to: "\(name).ext")
    try openssl(
      ["x509", "-req", "-in", request, "-CA", certificate, "-CAkey", self.key, "-extfile", extensions]
        + ["-days", String(days), "-out", issued.certificate]
    )
    return issued
  }

  private func newKey(_ path: String) -> [String] {
    ["-config", directory.path("openssl.cnf"), "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
      + ["-keyout", path]
  }

  private func openssl(_ arguments: [String]) throws {
    let outcome = try ChildProcess.run("openssl", arguments)
    guard outcome.exit == .status(0) else {
      throw TestSupportError(.process, "openssl \(arguments.joined(separator: " ")): \(outcome.errors)")
    }
  }
}
