internal import MultiStore
internal import RESP

/// AUTH and HELLO: the client's user and its protocol version. The words are the default store's.
extension Session {
  private static let wrongPassword = "WRONGPASS invalid username-password pair or user is disabled."

  /// AUTH [username] password
  func authenticate(_ arguments: borrowing ArgumentList) {
    guard arguments.argumentCount <= 3 else { return output.appendError("ERR syntax error") }
    let isNamed = arguments.argumentCount == 3
    guard isNamed || server.credentials != nil else {
      return output.appendError(
        "ERR AUTH <password> called without any password configured for the default user. "
          + "Are you sure your configuration is correct?"
      )
    }
    let name = isNamed ? arguments.argument(at: 1).array : Array(Credentials.defaultUser.utf8)
    guard logIn(name, password: arguments.argument(at: isNamed ? 2 : 1)) else {
      return output.appendError(Self.wrongPassword)
    }
    output.appendStatus("OK")
  }

  /// HELLO [version [AUTH username password] [SETNAME name]]
  ///
  /// - Parameter shape: The shape of its reply.
  func hello(_ arguments: borrowing ArgumentList, shape: ReplyShape) {
    var index = 1
    var version = delivery.protocolVersion
    if arguments.argumentCount > 1 {
      guard let number = arguments.argument(at: 1).canonicalDecimal else {
        return output.appendError("ERR Protocol version is not an integer or out of range")
      }
      guard let known = UInt8(exactly: number).flatMap(ProtocolVersion.init) else {
        return output.appendError("NOPROTO unsupported protocol version")
      }
      version = known
      index = 2
    }
    // Each option takes effect before the next is read, as on a server.
    while index < arguments.argumentCount {
      let option = arguments.argument(at: index)
      if option.isKeyword("AUTH"), index + 2 < arguments.argumentCount {
        guard logIn(arguments.argument(at: index + 1).array, password: arguments.argument(at: index + 2)) else {
          return output.appendError(Self.wrongPassword)
        }
        index += 3
      } else if option.isKeyword("SETNAME"), index + 1 < arguments.argumentCount {
        if let refusal = client.setName(arguments.argument(at: index + 1)) { return output.appendError(refusal) }
        index += 2
      } else {
        return output.appendError("ERR Syntax error in HELLO option '\(ServerWords.shown(option))'")
      }
    }
    guard isAuthenticated else {
      let place = dialect.contains(.showsPlaceOfVersion) ? "<proto> " : ""
      return output.appendError(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \(place)AUTH <user> "
          + "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
      )
    }
    delivery.speak(version, helloShape: shape, after: output)
    writeHello()
  }

  /// Logs the client in as `name`; returns whether that succeeded. Without credentials every client is the default user
  /// already, with any password, as on a server.
  private func logIn(_ name: [UInt8], password: Span<UInt8>) -> Bool {
    let isRight =
      server.credentials.map { $0.accept(name: name.span, password: password) }
      ?? (name == Array(Credentials.defaultUser.utf8))
    guard isRight else {
      server.logins.didFail(self)
      return false
    }
    server.logins.didSucceed(self)
    client.user = String(decoding: name, as: UTF8.self)
    isAuthenticated = true
    return true
  }

  private func writeHello() {
    let (name, version, modules) = server.storeServer
    output.appendArrayHeader(14)
    output.appendBulk("server")
    output.appendBulk(name)
    output.appendBulk("version")
    output.appendBulk(version)
    output.appendBulk("proto")
    output.appendInteger(Int(delivery.protocolVersion.rawValue))
    output.appendBulk("id")
    output.appendInteger(id)
    output.appendBulk("mode")
    output.appendBulk("standalone")
    output.appendBulk("role")
    output.appendBulk("master")
    output.appendBulk("modules")
    if let modules { output.append(modules.span) } else { output.appendArrayHeader(0) }
  }
}
