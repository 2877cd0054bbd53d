internal import TLS

/// The secret of a listener's clients, sent as `Authorization: Bearer …` (RFC 6750). It prints as `<redacted>`.
public struct BearerToken: Sendable {
  /// The longest accepted token, in bytes: longer than any generator's, and much shorter than a request's headers.
  public static let maximumBytes = 1024

  private let secret: [UInt8]

  /// Reads the content of a token file: one token, with white space around it ignored.
  ///
  /// - Throws: ``BearerTokenError`` if there is none, or if it could not be sent in a header.
  public init(contentsOfFile content: [UInt8]) throws(BearerTokenError) {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
    let trimmed = content.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
    guard !trimmed.isEmpty else { throw BearerTokenError(reason: "it is empty") }
    guard trimmed.count <= Self.maximumBytes else {
      throw BearerTokenError(reason: "it is longer than \(Self.maximumBytes) bytes")
    }
    guard trimmed.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw BearerTokenError(reason: "it has to be one word of visible ASCII characters")
    }
    secret = Array(trimmed)
  }

  /// The value of the `Authorization` header, for a client.
  public var headerValue: String { "Bearer \(String(decoding: secret, as: UTF8.self))" }

  /// Whether a header value has this token.
  ///
  /// The time taken depends on the length of the value and not on the bytes that are right.
  func isShown(by headerValue: String?) -> Bool {
    guard let headerValue else { return false }
    let bytes = Array(headerValue.utf8)
    let scheme = Array("bearer ".utf8)
    guard bytes.count >= scheme.count, zip(bytes, scheme).allSatisfy({ $0 | 0x20 == $1 }) else { return false }
    let shown = Array(bytes.dropFirst(scheme.count))
    return SecureBytes.areEqual(shown, secret)
  }
}

extension BearerToken: CustomStringConvertible, CustomReflectable {
  /// Never the secret.
  public var description: String { "<redacted>" }

  /// Never the secret.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A token file whose content is no token.
public struct BearerTokenError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The mistake; the content is not shown.
  public let reason: String

  /// The mistake, and how a token is made.
  public var description: String {
    "the bearer token cannot be used: \(reason); make one with 'openssl rand -hex 32'"
  }
}
