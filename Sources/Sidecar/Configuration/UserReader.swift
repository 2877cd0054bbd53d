internal import Proxy

/// Reads the users of an instance.
enum UserReader {
  /// The limit on the users of an instance: a login compares all of them, so that its time reveals nothing.
  static let mostUsers = 256

  /// Returns the users in the order of the file, and reports mistakes.
  ///
  /// - Parameter verifiesClients: whether clients show certificates that are verified; nil if `tls` has a mistake.
  static func users(of instance: MappingReader, verifiesClients: Bool?) -> [InstanceConfiguration.User] {
    let readers = instance.sections("users")
    guard readers.count <= mostUsers else {
      let message = "has \(readers.count) users; an instance can have \(mostUsers)"
      instance.context.error(instance.position(of: "users"), instance.keyPath("users"), message)
      return []
    }
    var users: [InstanceConfiguration.User] = []
    var lines: [String: Int] = [:]
    var certificates: [String: String] = [:]
    if instance.has("password") || instance.has("password_file") {
      let key = instance.has("password") ? "password" : "password_file"
      lines[Credentials.defaultUser] = instance.position(of: key).line
    }
    for reader in readers {
      guard let user = user(reader) else { continue }
      if user.certificateName != nil, verifiesClients == false {
        let key = "certificate_name"
        reader.context.error(reader.position(of: key), reader.keyPath(key), "has no effect without tls.client_auth")
      }
      if let line = lines[user.name] {
        let message = "the user \"\(user.name)\" has a password already, in line \(line)"
        reader.context.error(reader.position(of: "name"), reader.keyPath("name"), message)
      }
      lines[user.name] = reader.position.line
      if let certificate = user.certificateName, let other = certificates.updateValue(user.name, forKey: certificate) {
        let message = "the user \"\(other)\" has the same; a certificate stands for one user"
        reader.context.error(reader.position(of: "certificate_name"), reader.keyPath("certificate_name"), message)
      }
      users.append(user)
    }
    return users
  }

  private static func user(_ reader: MappingReader) -> InstanceConfiguration.User? {
    let password = InstanceReader.password(of: reader)
    let certificateName = reader.value("certificate_name")?.expanded
    if !["password", "password_file", "certificate_name"].contains(where: reader.has) {
      let message = "a user without a password; add password_file, or certificate_name"
      reader.context.error(reader.position, reader.path, message)
    }
    guard let name = reader.value("name") else { return nil }
    // As in ACL SETUSER, which cannot have a name with a space.
    guard name.expanded.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      reader.context.error(name.position, reader.keyPath("name"), "expected a name without spaces")
      return nil
    }
    guard password != nil || certificateName != nil else { return nil }
    return InstanceConfiguration.User(name: name.expanded, password: password, certificateName: certificateName)
  }
}
