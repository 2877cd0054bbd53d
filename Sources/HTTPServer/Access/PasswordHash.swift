internal import CCrypt
internal import Glibc
internal import TLS

/// A bcrypt hash as htpasswd writes it: `$2y$10$` (or `$2a$`, `$2b$`) and 53 characters. It prints as `<redacted>`.
public struct PasswordHash: Sendable, Hashable {
  /// The binary logarithm of the number of rounds.
  public let cost: Int
  private let text: String

  /// The costs of bcrypt. Each takes twice as long as the one before: 10 about 70 ms, 14 a second.
  public static let costs = 4...31

  /// Reads a hash.
  ///
  /// - Throws: ``PasswordHashError`` for any other text.
  public init(_ text: String) throws(PasswordHashError) {
    let bytes = Array(text.utf8)
    guard bytes.count == 60, bytes[0] == UInt8(ascii: "$"), bytes[1] == UInt8(ascii: "2"),
      "aby".utf8.contains(bytes[2]), bytes[3] == UInt8(ascii: "$"), bytes[6] == UInt8(ascii: "$"),
      let cost = Int(text.dropFirst(4).prefix(2)), Self.costs.contains(cost), bytes[7...].allSatisfy(Self.isDigit)
    else { throw PasswordHashError() }
    self.cost = cost
    self.text = text
  }

  private init(text: String, cost: Int) {
    self.text = text
    self.cost = cost
  }

  /// Returns a hash that no password has, and that takes as long to check as others of this cost.
  static func unmatchable(cost: Int) -> PasswordHash {
    let prefix = "$2b$\(cost < 10 ? "0" : "")\(cost)$"
    return PasswordHash(text: prefix + String(repeating: ".", count: 53), cost: cost)
  }

  /// The bytes of the hash, for the digest of remembered results.
  var bytes: String.UTF8View { text.utf8 }

  /// Whether this is the hash of a password. The time taken depends on the cost alone.
  func matches(_ password: String) -> Bool {
    // C would end the password there, and accept another one that begins like it.
    guard !password.utf8.contains(0) else { return false }
    var memory: UnsafeMutableRawPointer?
    var size: Int32 = 0
    defer { free(memory) }
    guard let computed = crypt_ra(password, text, &memory, &size) else { return false }
    let isEqual = SecureBytes.areEqual(Array(String(cString: computed).utf8), Array(text.utf8))
    // A memory dump would show the intermediate state.
    if let memory { explicit_bzero(memory, Int(size)) }
    return isEqual
  }

  /// Whether a byte is a digit of bcrypt's base 64.
  private static func isDigit(_ byte: UInt8) -> Bool {
    (0x2e...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
  }
}

extension PasswordHash: CustomStringConvertible, CustomReflectable {
  /// Never the hash.
  public var description: String { "<redacted>" }

  /// Never the hash.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A text that is not a bcrypt hash.
public struct PasswordHashError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The way to make a hash; the text is not shown.
  public let description = "is no bcrypt hash; make one with htpasswd -nBC 10 \"\" | tr -d ':\\n'"
}
