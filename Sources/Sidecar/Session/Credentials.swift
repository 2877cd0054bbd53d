internal import RESP

/// What a client has to know to use an instance.
struct Credentials: Sendable {
  /// The one user there is.
  let username: String
  private let password: [UInt8]

  init(username: String = "default", password: String) {
    self.username = username
    self.password = Array(password.utf8)
  }

  /// Compares in a time that does not depend on how much of the password is right.
  func accept(username: [UInt8], password candidate: Span<UInt8>) -> Bool {
    var difference: UInt8 = candidate.count == password.count ? 0 : 1
    for index in candidate.indices {
      difference |= candidate[index] ^ (password.isEmpty ? 1 : password[index % password.count])
    }
    return difference == 0 && username == Array(self.username.utf8)
  }
}

extension Credentials: CustomStringConvertible, CustomReflectable {
  var description: String { "credentials of \(username)" }
  var customMirror: Mirror { Mirror(self, children: ["username": username]) }
}
