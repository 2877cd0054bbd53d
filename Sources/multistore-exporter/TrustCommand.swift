internal import ArgumentParser
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

  @OptionGroup var statement: OperatorOptions

  func run() throws {
    let instance = try Environment.required(instance, "instance")
    let store = try Environment.required(store, "store")
    let (who, why) = try statement.named()
    let fields: KeyValuePairs = ["instance": instance, "store": store, "who": who, "why": why]
    print(try admin.ask { try $0.state(AdminPath.trust, fields) }, terminator: "")
  }
}
