internal import CGnuTLS

/// Calls `body` with bytes in GnuTLS' form; GnuTLS does not write to them.
func withDatum<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<gnutls_datum_t>) -> Result) -> Result {
  bytes.withUnsafeBufferPointer { buffer in
    var datum = gnutls_datum_t(data: UnsafeMutablePointer(mutating: buffer.baseAddress), size: UInt32(buffer.count))
    return body(&datum)
  }
}
