internal import Hiredis
internal import RESP

/// A key as a digest that a script computes on its server, so that two stores are compared without transferring values.
/// The script has the same result on each version of Redis and Valkey.
///
/// Encodings do not matter, nor the order of sets and hashes. For a stream the entries, the groups, their consumers and
/// the pending entries count, but not the times of their delivery.
struct KeyDigest: Equatable {
  /// The most bytes that a key may take for its digest to be computed, and the most elements: a few milliseconds of the
  /// server's time.
  static let maxBytes = 1 << 20
  static let maxElements = 10_000
  /// The bytes of several keys after which an answer ends: half a millisecond of the server's time.
  static let maxBytesTogether = 128 << 10

  /// The time before its expiry in which a key is neither equal nor different, in milliseconds.
  static let lastMoments = 2_000
  /// The time after it in which a server's clock may not have reached it, in milliseconds. With a clock that is further
  /// behind, a server goes on to answer what the other one has not any more, which is a difference.
  static let clockTolerance = 10_000
  /// The largest difference between the expiry times of equal keys, in milliseconds.
  private static let expiryTolerance = 1_000

  /// The type as TYPE reports it; `none` for a missing key.
  let type: String
  /// The bytes of a string, or the number of elements of any other type.
  let size: Int
  /// The digest of the contents; `large` if they are too large, and empty for a module's type.
  let digest: String
  /// The expiry time in Unix milliseconds; -1 for never.
  let expiry: Int

  /// The result of comparing two stores' keys.
  enum Comparison: Equatable {
    case equal
    case different
    /// One of them is about to expire, or has just done so.
    case expiring
    /// Their contents are too large for a digest, or of a module's type, and everything else is equal.
    case unknown
  }

  /// Compares the keys of two stores.
  ///
  /// - Parameter now: Unix milliseconds.
  func compared(to other: KeyDigest, now: Int) -> Comparison {
    let ends = [expiry, other.expiry].filter { $0 >= 0 }
    if ends.contains(where: { (-Self.clockTolerance..<Self.lastMoments).contains($0 - now) }) { return .expiring }
    guard type == other.type, size == other.size, (expiry < 0) == (other.expiry < 0),
      abs(expiry - other.expiry) <= Self.expiryTolerance
    else { return .different }
    // Servers need different amounts of memory for the same value, so that it may be too large on one of them.
    if isLarge || other.isLarge || digest.isEmpty && !isMissing { return .unknown }
    return digest == other.digest ? .equal : .different
  }

  /// Whether it is the value that the same store had at an earlier look. A time to live that was asked for shows the
  /// moment only as exactly as the answer was quick.
  func isSameValue(as earlier: KeyDigest) -> Bool {
    type == earlier.type && size == earlier.size && digest == earlier.digest
      && (expiry < 0) == (earlier.expiry < 0) && abs(expiry - earlier.expiry) <= Self.expiryTolerance
  }

  /// The name of the kind of difference between the keys of two stores, if they are ``Comparison/different``.
  ///
  /// - Parameter other: the key on the store that is not the default.
  func difference(from other: KeyDigest) -> KeyDifference {
    if other.isMissing { return .missing }
    if isMissing { return .extra }
    if type != other.type { return .type }
    return size == other.size && digest == other.digest ? .expiry : .value
  }

  /// Whether its contents are too large for a digest.
  private var isLarge: Bool { digest == "large" }

  /// Whether the store has no such key.
  var isMissing: Bool { type == "none" }

  init(type: String, size: Int, digest: String, expiry: Int) {
    (self.type, self.size, self.digest, self.expiry) = (type, size, digest, expiry)
  }

  /// Nil for a reply that is something else, such as an error.
  init?(_ reply: borrowing Reply) {
    guard reply.kind == .array, reply.count == 4 else { return nil }
    func text(_ index: Int) -> String { String(decoding: reply[index].bytes.array, as: UTF8.self) }
    type = text(0)
    size = reply[1].integer
    digest = text(2)
    expiry = Int(text(3)) ?? -1
  }
}
