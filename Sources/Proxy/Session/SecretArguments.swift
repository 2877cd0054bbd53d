internal import RESP

/// Finds the arguments of a command that hold secrets. They are examined one after the other, the name first.
///
/// Where a server shows a password because the command has another error, this hides it. A name that no server knows is
/// hidden with its arguments, since it may be a misspelt AUTH, or a password alone, except for names like those of
/// modules' commands, such as `JSON.SET`. Commands like CONFIG SET and ACL SETUSER need no rule: they are
/// administrative, and not shown at all.
struct SecretArguments {
  private let id: CommandID
  private var index = 0
  /// The arguments that come next and are secret.
  private var secretsLeft = 0
  /// The arguments that come next and are not.
  private var plainLeft = 0

  init(_ spec: CommandSpec) {
    id = spec.id
    if id == .hello { plainLeft = 2 }
    if id == .migrate { plainLeft = 6 }
    if id == .auth { plainLeft = 1 }
  }

  /// Whether the next argument is secret.
  mutating func isSecret(_ argument: Span<UInt8>) -> Bool {
    defer { index += 1 }
    guard id == .hello || id == .migrate || id == .auth || id == .other else { return false }
    if secretsLeft > 0 {
      secretsLeft -= 1
      return true
    }
    if plainLeft > 0 {
      plainLeft -= 1
      return false
    }
    if id == .other, index == 0 {
      let isOfModule = Self.isNameOfModule(argument)
      (plainLeft, secretsLeft) = isOfModule ? (.max, 0) : (0, .max)
      return !isOfModule
    }
    return isSecretOption(argument)
  }

  /// Whether a name is one of words with a dot between them.
  private static func isNameOfModule(_ name: Span<UInt8>) -> Bool {
    guard name.count > 2, let dot = name.indices.first(where: { name[$0] == UInt8(ascii: ".") }) else { return false }
    return dot > 0 && dot < name.count - 1
      && name.indices.allSatisfy { index in
        switch name[index] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
      }
  }

  /// Whether an argument in the place of an option is secret.
  private mutating func isSecretOption(_ option: Span<UInt8>) -> Bool {
    if id == .hello, option.isKeyword("AUTH") || option.isKeyword("SETNAME") {
      if option.isKeyword("AUTH") { secretsLeft = 2 } else { plainLeft = 1 }
      return false
    }
    if id == .migrate {
      if option.isKeyword("COPY") || option.isKeyword("REPLACE") { return false }
      if option.isKeyword("AUTH") || option.isKeyword("AUTH2") {
        secretsLeft = option.isKeyword("AUTH") ? 1 : 2
        return false
      }
      if option.isKeyword("KEYS") {
        plainLeft = .max
        return false
      }
    }
    // The rest can't be told apart.
    secretsLeft = .max
    return true
  }
}
