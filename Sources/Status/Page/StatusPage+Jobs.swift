extension StatusPage {
  /// Returns the last backfill and the last verification, each with a bar.
  func jobs(_ instance: InstanceReport) -> HTML {
    let id = "instance-\(instance.name)-jobs"
    return """
      <section class="card" aria-labelledby="\(id)">
      <h3 id="\(id)">Backfill and verification</h3>
      \(instance.jobs.map(job))\
      </section>

      """
  }

  private func job(_ job: JobsReport.Job) -> HTML {
    let share = job.share ?? 0
    return """
      <p><strong>\(job.title)</strong> <progress max="100" value="\(Int(share * 100))" \
      aria-label="\(job.title)">\(Int(share * 100)) %</progress><br>\
      <span class="muted">\(job.bar(report.takenMilliseconds))</span></p>

      """
  }
}
