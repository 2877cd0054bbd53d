internal import ArgumentParser
internal import Sidecar

/// `stale list`: shows the keys of a running sidecar's instances that are outdated on a store, through its admin API.
struct StaleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stale",
    abstract: "Shows which keys are stale on a store: their last write there failed.",
    discussion: "Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached.",
    subcommands: [List.self]
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
}
