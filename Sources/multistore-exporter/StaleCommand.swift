internal import ArgumentParser
internal import Sidecar

/// `stale`: shows the keys of a running sidecar's instances that are outdated on a store, or accepts the default
/// store's values, through its admin API.
struct StaleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stale",
    abstract: "Shows which keys are stale on a store, or accepts their values on the default store.",
    discussion: "Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached.",
    subcommands: [List.self, Accept.self]
  )

  /// `stale list`
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists stale keys with since when and why, those that have been stale for longest first."
    )

    @OptionGroup var report: ReportOptions

    @Option(help: "primary or secondary; both without it. [MULTISTORE_STORE]")
    var store: String?

    @Option(help: "The most keys of a store; 1000 without it. [MULTISTORE_LIMIT]")
    var limit: String?

    @Flag(help: "Show keys by their names instead of hashed. [MULTISTORE_SHOW_KEYS]")
    var showKeys = false

    func run() throws {
      let showsKeys = try Environment.flag(showKeys, "show-keys")
      let (store, limit) = (Environment.value(store, "store"), Environment.value(limit, "limit"))
      try report.show { instance, format in
        AdminPath.staleKeys(instance: instance, store: store, limit: limit, showsKeys: showsKeys, format: format)
      }
    }
  }

  /// `stale accept`
  struct Accept: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes the default store's values of its stale keys count, as the operator says.",
      discussion: """
        For a store that is gone for good while keys are stale on the default store: commands that name such a key \
        wait for its copy, and fail. From then on the default store's values are read, although newer ones were \
        written to the other store, and the keys are stale there. The sidecar logs who said it and why.

        Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached.
        """
    )

    @OptionGroup var admin: AdminOptions

    @Option(help: "The instance. [MULTISTORE_INSTANCE]")
    var instance: String?

    @OptionGroup var statement: OperatorOptions

    func run() throws {
      let instance = try Environment.required(instance, "instance")
      let (who, why) = try statement.named()
      let fields: KeyValuePairs = ["instance": instance, "who": who, "why": why]
      print(try admin.ask { try $0.state(AdminPath.acceptedStaleKeys, fields) }, terminator: "")
    }
  }
}
