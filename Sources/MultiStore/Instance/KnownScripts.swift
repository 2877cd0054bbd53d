internal import RESP

/// The scripts that clients have given to the store, so that the one that becomes the default can be given them too:
/// what loads its scripts once and then only names them by digest would get NOSCRIPT after a flip. Loop-confined.
struct KnownScripts {
  /// More than any application has by design. Those that make up a script for each call never name them again.
  static let maxCount = 1_000
  static let maxBytes = 4 << 20

  private(set) var bodies: [[UInt8]] = []
  private var byteCount = 0
  /// So that one that is known costs no copy of it.
  private var hashes: Set<Int> = []

  /// Takes note of the script in an EVAL or a SCRIPT LOAD.
  ///
  /// - Returns: false if it had to be left out because there are too many.
  mutating func insert(_ body: Span<UInt8>) -> Bool {
    var hasher = Hasher()
    // The pointer is used within the call, for reading.
    unsafe body.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    let hash = hasher.finalize()
    guard !hashes.contains(hash) else { return true }
    guard bodies.count < Self.maxCount, byteCount + body.count <= Self.maxBytes else { return false }
    hashes.insert(hash)
    bodies.append(body.array)
    byteCount += body.count
    return true
  }

  mutating func removeAll() {
    bodies = []
    hashes = []
    byteCount = 0
  }
}
