internal import ArgumentParser
internal import Glibc
internal import Sidecar

/// `trust`: tells a running sidecar that a store has no outdated keys but the known ones, through its admin API.
struct TrustCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trust",
    abstract: "Makes an instance trust a store again, as the operator says: compare the stores before.",
    discussion: """
      The sidecar logs who said it and why. From then on reads may use the store again, and known stale keys are still \
      avoided.

      Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached.
      """
  )

  @OptionGroup var admin: AdminOptions

  @Option(help: "The instance. [MULTISTORE_INSTANCE]")
  var instance: String?

  @Option(help: "primary or secondary. [MULTISTORE_STORE]")
  var store: String?

  @Option(help: "The reason, for the log. [MULTISTORE_WHY]")
  var why: String?

  @Option(help: "The operator's name, for the log; the login name without it. [MULTISTORE_WHO]")
  var who: String?

  func run() throws {
    let instance = try Environment.required(instance, "instance")
    let store = try Environment.required(store, "store")
    let why = try Environment.required(why, "why")
    let who = Environment.value(who, "who") ?? Self.loginName
    print(try admin.ask { try $0.trust(store, of: instance, who: who, why: why) }, terminator: "")
  }

  /// The name of the user who is logged in; the user's number where the environment has no name.
  private static var loginName: String {
    ["SUDO_USER", "LOGNAME", "USER"].lazy.compactMap(ProcessEnvironment.value).first { !$0.isEmpty }
      ?? "user \(getuid())"
  }
}
