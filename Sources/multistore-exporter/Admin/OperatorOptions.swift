internal import ArgumentParser
internal import Glibc
internal import Sidecar

/// The options of commands by which an operator states a fact that the sidecar can't know: who says it, and why.
struct OperatorOptions: ParsableArguments {
  @Option(help: "The reason, for the log. [MULTISTORE_WHY]")
  var why: String?

  @Option(help: "The operator's name, for the log; the login name without it. [MULTISTORE_WHO]")
  var who: String?

  /// Returns the name and the reason.
  func named() throws -> (who: String, why: String) {
    (Environment.value(who, "who") ?? Self.loginName, try Environment.required(why, "why"))
  }

  /// The name of the user who is logged in; the user's number where the environment has no name.
  static var loginName: String {
    ["SUDO_USER", "LOGNAME", "USER"].lazy.compactMap(ProcessEnvironment.value).first { !$0.isEmpty }
      ?? "user \(getuid())"
  }
}
