internal import ArgumentParser
internal import Sidecar

/// `backfill`: copies the keys that the other store lacks, through the admin API of a running sidecar.
struct BackfillCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backfill",
    abstract: "Copies every key that the default store has and the other one lacks.",
    discussion: """
      Dual write has to be on. Clients go on meanwhile: a key that is deleted does not come back, and one that is \
      written is not overwritten.

      Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached; with --wait also \
      3 ended with failures, 4 cancelled.
      """,
    subcommands: [
      Start.self, Status.self, JobPause<Backfill>.self, JobResume<Backfill>.self, JobCancel<Backfill>.self,
      JobRate<Backfill>.self,
    ]
  )

  /// `backfill start`
  struct Start: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Starts a backfill.",
      discussion: "Exit codes: 0 done, 1 refused, 2 not reached; with --wait 3 ended with failures, 4 cancelled."
    )

    @OptionGroup var job: JobOptions
    @OptionGroup var keys: KeySelectionOptions

    @Flag(help: "Only count the keys that would be copied. [MULTISTORE_DRY_RUN]")
    var dryRun = false

    func run() throws {
      let isDry = try Environment.flag(dryRun, "dry-run")
      try job.change(AdminPath.jobs, Backfill.job, try keys.fields + [("dry_run", isDry ? "true" : nil)])
      try keys.waitIfAsked(job, Backfill.job)
    }
  }

  /// `backfill status`
  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows the last backfill and its progress.")

    @OptionGroup var job: JobOptions
    @OptionGroup var shown: JobReportOptions

    func run() throws { try shown.show(job, Backfill.job) }
  }
}

/// The job `backfill` of commands that both kinds have.
enum Backfill: JobName { static let job = "backfill" }
