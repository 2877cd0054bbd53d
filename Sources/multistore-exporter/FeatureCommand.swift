internal import ArgumentParser
internal import Sidecar

/// `feature get` and `feature set`: show and set the flags of a running sidecar, through its admin API.
struct FeatureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "feature",
    abstract: "Shows and sets the feature flags of a running sidecar.",
    discussion: "Exit codes: 0 done, 1 the sidecar refused or knows no such flag, 2 it could not be reached.",
    subcommands: [Get.self, Set.self]
  )

  /// `feature get [NAME]`
  struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows one flag, or all of them.")

    @OptionGroup var admin: AdminOptions

    @Argument(help: "The flag's full name; all flags without it.")
    var name: String?

    func run() throws {
      for line in try admin.ask({ try $0.features(name) }) { print(line) }
    }
  }

  /// `feature set NAME true|false`
  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sets one flag; it applies to the next command.")

    @OptionGroup var admin: AdminOptions

    @Argument(help: "The flag's full name.")
    var name: String

    @Argument(help: "true or false.")
    var value: Bool

    @Flag(help: "Move the default store even to one that is not trusted or has many stale keys. [MULTISTORE_FORCE]")
    var force = false

    func run() throws {
      let isForced = try Environment.flag(force, "force")
      for line in try admin.ask({ try $0.setFeature(name, to: value, isForced: isForced) }) { print(line) }
    }
  }
}
