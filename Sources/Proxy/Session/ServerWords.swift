internal import RESP

/// Errors in the words of Redis 7.0, or of the default store where it differs, so that clients and people recognise
/// them.
enum ServerWords {
  /// The most bytes that a server shows of an unknown name, and of all the arguments after it together.
  private static let longestShown = 128

  static let syntaxError = "ERR syntax error"

  /// Returns bytes that a client sent, cut to a length that fits into an error.
  static func shown(_ bytes: Span<UInt8>, atMost limit: Int = longestShown) -> String {
    String(decoding: bytes.extracting(0..<min(limit, bytes.count)).array, as: UTF8.self)
  }

  /// Returns the error for a command that no transaction may contain.
  static func refusedInTransaction(_ spec: CommandSpec, _ dialect: ServerDialect) -> String {
    let name = dialect.contains(.namesCommandRefusedInTransaction) ? "'\(spec.name)' " : ""
    return "ERR Command \(name)not allowed inside a transaction"
  }

  static func wrongNumberOfArguments(_ spec: CommandSpec) -> String { "ERR \(argumentsReason(spec))" }

  /// The same as a reason, without the code.
  static func argumentsReason(_ spec: CommandSpec) -> String {
    "wrong number of arguments for '\(spec.name)' command"
  }

  /// Returns the error for `command`, which no server knows, or which has an unknown subcommand of `spec`.
  static func unknownCommand(_ command: Span<UInt8>, _ spec: CommandSpec) -> String {
    let arguments = ArgumentList(command)
    if spec.traits.contains(.hasSubcommands), arguments.argumentCount > 1 {
      let container = spec.name.description.uppercased()
      return "ERR unknown subcommand '\(shown(arguments.argument(at: 1)))'. Try \(container) HELP."
    }
    var text = "ERR unknown command '\(shown(arguments.argument(at: 0)))', with args beginning with: "
    var length = 0
    for index in 1..<max(1, arguments.argumentCount) where length < longestShown {
      let argument = shown(arguments.argument(at: index), atMost: longestShown - length)
      text += "'\(argument)' "
      length += argument.utf8.count + 3
    }
    return text
  }
}

extension Span<UInt8> {
  /// The integer that the bytes spell as a server accepts it: no plus sign, no leading zero.
  var canonicalDecimal: Int? {
    guard let value = decimal, hasSameBytes(as: Array(String(value).utf8).span) else { return nil }
    return value
  }
}
