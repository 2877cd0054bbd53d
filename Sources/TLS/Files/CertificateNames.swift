internal import CGnuTLS
internal import Glibc

/// The names of certificates.
enum CertificateNames {
  /// The longest name that is read, in bytes.
  private static let longestBytes = 1024

  /// Returns the DNS names, e-mail addresses, URIs and IP addresses among the subject's alternative names.
  static func all(in certificate: gnutls_x509_crt_t?) -> [String] {
    var names: [String] = []
    var index: UInt32 = 0
    while true {
      var buffer = [UInt8](repeating: 0, count: longestBytes)
      var size = buffer.count
      let kind = gnutls_x509_crt_get_subject_alt_name(certificate, index, &buffer, &size, nil)
      index += 1
      switch kind {
      case Int32(bitPattern: GNUTLS_SAN_DNSNAME.rawValue), Int32(bitPattern: GNUTLS_SAN_RFC822NAME.rawValue),
        Int32(bitPattern: GNUTLS_SAN_URI.rawValue):
        names.append(String(decoding: buffer[..<size], as: UTF8.self))
      case Int32(bitPattern: GNUTLS_SAN_IPADDRESS.rawValue):
        if let address = address(Array(buffer[..<size])) { names.append(address) }
      case GNUTLS_E_SHORT_MEMORY_BUFFER, 0...: continue
      default: return names
      }
    }
  }

  private static func address(_ bytes: [UInt8]) -> String? {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil else {
      return nil
    }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
