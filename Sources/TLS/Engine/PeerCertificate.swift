internal import CGnuTLS
internal import Glibc

/// The certificate that the peer of a session has shown, without those of its authorities.
struct PeerCertificate: ~Copyable {
  /// The most names, and characters of one, that a message cites: they come from the peer.
  private static let mostNames = 3
  private static let longestShown = 80

  private let certificate: gnutls_x509_crt_t?

  /// Nil if there is none, or one that cannot be read.
  init?(of session: gnutls_session_t) {
    var count: UInt32 = 0
    guard let raw = gnutls_certificate_get_peers(session, &count), count > 0 else { return nil }
    var certificate: gnutls_x509_crt_t?
    guard gnutls_x509_crt_init(&certificate) == GNUTLS_E_SUCCESS else { return nil }
    guard gnutls_x509_crt_import(certificate, raw, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS else {
      gnutls_x509_crt_deinit(certificate)
      return nil
    }
    self.certificate = certificate
  }

  deinit {
    gnutls_x509_crt_deinit(certificate)
  }

  /// The end of its validity, in Unix time.
  var expiration: Int { gnutls_x509_crt_get_expiration_time(certificate) }
  /// The beginning of its validity, in Unix time.
  var activation: Int { gnutls_x509_crt_get_activation_time(certificate) }

  /// Its common name, if it has one, and its alternative names.
  var names: [String] { [commonName].compactMap { $0 } + CertificateNames.all(in: certificate) }

  /// Its names for a message: the alternative ones, or the common name of a certificate that has none.
  var shownNames: String {
    var names = CertificateNames.all(in: certificate)
    if names.isEmpty, let name = commonName { names = [name] }
    guard !names.isEmpty else { return "no name" }
    let shown = names.prefix(Self.mostNames).map(Self.shown).joined(separator: ", ")
    return names.count > Self.mostNames ? "\(shown) and \(names.count - Self.mostNames) more" : shown
  }

  /// The name of the authority that has signed it, for a message.
  var shownIssuer: String {
    Self.text { gnutls_x509_crt_get_issuer_dn(certificate, $0, $1) }.map(Self.shown) ?? "an authority without a name"
  }

  private var commonName: String? {
    Self.text { gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, $0, $1) }
  }

  /// Returns the text that a function of GnuTLS writes into a buffer.
  private static func text(_ read: (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>) -> Int32) -> String? {
    var buffer = [CChar](repeating: 0, count: 1024)
    var count = buffer.count
    let code = buffer.withUnsafeMutableBufferPointer { read($0.baseAddress, &count) }
    guard code == GNUTLS_E_SUCCESS else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Returns a text of the peer's for a message: short and of visible characters.
  private static func shown(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(longestShown).map { 0x20...0x7e ~= $0.value ? $0 : "?" }
    return String(String.UnicodeScalarView(scalars))
  }

  /// Returns a time of a certificate: `2026-01-31 12:00:00 UTC`.
  static func shown(time: Int) -> String {
    var time = time_t(time)
    var parts = tm()
    guard gmtime_r(&time, &parts) != nil else { return "\(time) in Unix time" }
    var buffer = [CChar](repeating: 0, count: 64)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S UTC", &parts)
    return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
