internal import RESP

/// The users that clients of an instance can log in as.
package struct Credentials: Sendable {
  /// The user of a client that has not named one, as on a server.
  package static let defaultUser = "default"

  private struct User: Sendable {
    let name: [UInt8]
    let password: [UInt8]
  }

  private let users: [User]
  /// Users by a name of their certificates.
  private let certificates: [String: String]
  /// The password that an unknown name's is compared with, so that refusing it takes as long as for a known name.
  private static let dummy = Array("a password that is nobody's".utf8)

  /// - Parameters:
  ///   - users: those with a password; their names differ.
  ///   - certificates: the users whose certificate has a name, by that name.
  package init(users: [(name: String, password: String)], certificates: [String: String] = [:]) {
    precondition(!users.isEmpty || !certificates.isEmpty, "credentials without a user keep everybody out")
    self.certificates = certificates
    self.users = users.map { User(name: Array($0.name.utf8), password: Array($0.password.utf8)) }
  }

  /// Whether there is a user called `name` with this password. The time that this takes depends neither on how much of
  /// the password is right nor on whether there is such a user.
  func accept(name: Span<UInt8>, password candidate: Span<UInt8>) -> Bool {
    var password = Self.dummy
    var isKnown = false
    // All names are compared, wherever the right one is in the list.
    for user in users where user.name.count == name.count && Self.isEqual(name, user.name) {
      password = user.password
      isKnown = true
    }
    return Self.isEqual(candidate, password) && isKnown
  }

  /// Whether there is a user called `name`.
  func has(name: String) -> Bool {
    users.contains { $0.name == Array(name.utf8) } || certificates.values.contains(name)
  }

  /// The user whose certificate has one of these names; nil if there is none.
  func user(withCertificateFor names: [String]) -> String? {
    names.lazy.compactMap { certificates[$0] }.first
  }

  /// Compares in a time that depends on `candidate`'s length alone.
  private static func isEqual(_ candidate: Span<UInt8>, _ secret: [UInt8]) -> Bool {
    var difference: UInt8 = candidate.count == secret.count ? 0 : 1
    for index in candidate.indices {
      difference |= candidate[index] ^ (secret.isEmpty ? 1 : secret[index % secret.count])
    }
    return difference == 0
  }
}

extension Credentials: CustomStringConvertible, CustomReflectable {
  package var description: String { "credentials of \(users.count + certificates.count) users" }
  package var customMirror: Mirror { Mirror(self, children: ["users": users.count + certificates.count]) }
}
