internal import CZlib

/// Compression of response bodies.
enum ContentCoding {
  /// The size from which on a body is compressed; a smaller one fits into one packet anyway.
  static let minimumBytes = 1024

  /// Whether an `Accept-Encoding` value accepts gzip (RFC 9110 section 12.5.3).
  ///
  /// A coding with `q=0` is not accepted; `*` includes gzip unless gzip is named itself. Without the header the body is
  /// not compressed, since the client may not decompress it.
  static func acceptsGzip(_ header: String?) -> Bool {
    guard let header else { return false }
    var star = false
    var gzip: Bool?
    for element in header.split(separator: ",") {
      let parts = element.split(separator: ";").map { trim($0).lowercased() }
      guard let coding = parts.first else { continue }
      let isWanted = !parts.dropFirst().contains(where: isZeroWeight)
      switch coding {
      case "gzip", "x-gzip": gzip = gzip ?? false || isWanted
      case "*": star = isWanted
      default: break
      }
    }
    return gzip ?? star
  }

  /// Returns the body in gzip format; nil if memory is short.
  static func gzip(_ body: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    // 15 bits of window (32 KiB); 16 more select gzip's header instead of zlib's. The fastest level, since the time is
    // taken from the traffic and an exposition is repetitive enough for any level.
    let status = deflateInit2_(
      &stream,
      Z_BEST_SPEED,
      Z_DEFLATED,
      15 + 16,
      8,
      Z_DEFAULT_STRATEGY,
      ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size)
    )
    guard status == Z_OK else { return nil }
    defer { deflateEnd(&stream) }
    let capacity = Int(deflateBound(&stream, UInt(body.count)))
    let compressed = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
      body.withUnsafeBufferPointer { input in
        // zlib does not write to its input; the field is not const for compatibility.
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        count = deflate(&stream, Z_FINISH) == Z_STREAM_END ? Int(stream.total_out) : 0
      }
    }
    return compressed.isEmpty ? nil : compressed
  }

  private static func isZeroWeight(_ parameter: String) -> Bool {
    let parts = parameter.split(separator: "=").map(trim)
    guard parts.count == 2, parts[0] == "q" else { return false }
    // A weight is 0, 0.0, 0.00 or 0.000 when it means never.
    return parts[1].hasPrefix("0") && parts[1].allSatisfy { $0 == "0" || $0 == "." }
  }

  private static func trim(_ text: Substring) -> String {
    String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }

  private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
}
