internal import ArgumentParser
internal import Sidecar

/// `verify`: compares all keys of both stores, through the admin API of a running sidecar.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compares every key of both stores, and has differences mended if asked to.",
    discussion: """
      Values don't travel: each server computes digests. A key that differs is looked at again, so that writes of \
      clients are no differences. After a verification of all keys without a difference, with dual write on, the \
      other store is trusted again.

      Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached; with --wait and \
      report also 3 the stores differ or the result is void, 4 cancelled.
      """,
    subcommands: [
      Start.self, Status.self, Report.self, JobPause<Verification>.self, JobResume<Verification>.self,
      JobCancel<Verification>.self, JobRate<Verification>.self,
    ]
  )

  /// `verify start`
  struct Start: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Starts a verification.",
      discussion: "Exit codes: 0 done, 1 refused, 2 not reached; with --wait 3 the stores differ, 4 cancelled."
    )

    @OptionGroup var job: JobOptions
    @OptionGroup var keys: KeySelectionOptions

    @Option(help: "The most looks at a key that differs or changes; 5 without it. [MULTISTORE_ROUNDS]")
    var rounds: String?

    @Flag(help: "Mend what is found, and look again. [MULTISTORE_HEAL]")
    var heal = false

    func run() throws {
      let heals = try Environment.flag(heal, "heal")
      let rounds = Environment.value(rounds, "rounds")
      try job.change(
        AdminPath.jobs,
        Verification.job,
        try keys.fields + [("rounds", rounds), ("heal", heals ? "true" : nil)]
      )
      try keys.waitIfAsked(job, Verification.job)
    }
  }

  /// `verify status`
  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows the last verification and its progress.")

    @OptionGroup var job: JobOptions
    @OptionGroup var shown: JobReportOptions

    func run() throws { try shown.show(job, Verification.job) }
  }

  /// `verify report`
  struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the report of the last verification; the exit code is its outcome.",
      discussion: """
        Exit codes: 0 equal, 1 refused, 2 not reached, 3 the stores differ, or the result is void since a store was \
        restarted, replaced, emptied or not trusted after it, 4 cancelled or not ended.
        """
    )

    @OptionGroup var job: JobOptions
    @OptionGroup var shown: JobReportOptions

    func run() throws {
      let instance = try Environment.required(job.instance, "instance")
      let path = AdminPath.jobs(instance: instance, job: Verification.job, showsKeys: false, format: .line)
      let state = try job.admin.ask { try $0.report(path) }.prefix { $0 != "\n" }
      try shown.show(job, Verification.job)
      let outcome = JobOutcome(String(state))
      if outcome != .complete { throw ExitCode(outcome?.exitCode ?? JobOutcome.cancelled.exitCode) }
    }
  }
}

/// The job `verify` of commands that both kinds have.
enum Verification: JobName { static let job = "verify" }
