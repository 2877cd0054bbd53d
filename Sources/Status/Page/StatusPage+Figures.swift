extension StatusPage {
  /// Returns the next step with every criterion and the command for it.
  func next(_ step: NextStep, of instance: InstanceReport) -> HTML {
    let id = "instance-\(instance.name)-next"
    let rows = step.criteria.map(row)
    return """
      <section class="card" aria-labelledby="\(id)">
      <h3 id="\(id)">Safe to take the next step?</h3>
      <p class="answer \(step.answer.rawValue)" role="status"><strong>\(step.answer.title)</strong> \
      <span>The next step is to \(step.kind.title). \(summary(step))</span></p>
      <table class="criteria" role="table">
      <caption class="hidden">Criteria for the next step of \(instance.name)</caption>
      <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Result</th>\
      <th role="columnheader" scope="col">Criterion</th><th role="columnheader" scope="col">Measured</th>\
      <th role="columnheader" scope="col">Wanted</th></tr></thead>
      <tbody role="rowgroup">
      \(rows)</tbody>
      </table>
      <p>\(step.kind.consequence)\
      \(HTML.when(step.answer != .yes, " When all is met:"))</p>
      <pre tabindex="0" aria-label="Command for the next step"><code>\(step.command)</code></pre>
      </section>

      """
  }

  private func summary(_ step: NextStep) -> String {
    func count(_ result: Criterion.Result) -> Int { step.criteria.count { $0.result == result } }
    let (notMet, unknown) = (count(.notMet), count(.unknown))
    if notMet + unknown == 0 { return "All \(step.criteria.count) criteria are met." }
    let parts = [notMet > 0 ? "\(notMet) not met" : nil, unknown > 0 ? "\(unknown) not known yet" : nil]
    return "Of \(step.criteria.count) criteria \(parts.compactMap(\.self).joined(separator: ", "))."
  }

  private func row(_ criterion: Criterion) -> HTML {
    """
    <tr role="row" class="\(criterion.result.rawValue)">\
    <td role="cell"><span class="result">\(criterion.result.title)</span></td>\
    <th role="rowheader" scope="row">\(criterion.name.title)</th>\
    <td role="cell">\(criterion.measured)\
    \(HTML.when(criterion.result != .met, "<span class=\"advice\">\(criterion.advice)</span>"))</td>\
    <td role="cell" class="wanted">\(criterion.threshold)</td></tr>

    """
  }

  /// Returns the recent figures as curves.
  func history(_ instance: InstanceReport) -> HTML {
    let history = instance.history
    let totals = history.totals
    func line(_ title: String, _ value: (HistoryReport.Point) -> Double?, _ format: @escaping (Double) -> String)
      -> Sparkline
    {
      Sparkline(
        title: title,
        values: history.points.map(value),
        capacity: history.capacity,
        windowSeconds: report.windowSeconds,
        format: format
      )
    }
    let id = "instance-\(instance.name)-history"
    let comparison: HTML = """
      \(curve(
        line("Fallback reads", \.fallbackRatio, HumanFormat.percent),
        total: share(totals.fallbackReads, of: totals.primaryReads, "reads of the new store"),
        more: "\(HumanFormat.count(totals.trueMisses)) were in neither"))\
      \(curve(
        line("Differing pipelines", \.diffRatio, HumanFormat.percent),
        total: share(totals.differingPipelines, of: totals.comparedPipelines, "compared"),
        more: HumanFormat.count(totals.methodsMissing, "unlisted command")))

      """
    return """
      <section class="curves" aria-labelledby="\(id)">
      <h3 id="\(id)" class="hidden">The last \(HumanFormat.duration(report.windowSeconds))</h3>
      \(HTML.when(!instance.state.isPassThrough, comparison))\
      \(curve(
        line("Commands of clients", \.commandsPerSecond, HumanFormat.rate),
        total: history.points.last.map { "\(HumanFormat.rate($0.commandsPerSecond)) now" } ?? "not known yet",
        more: HumanFormat.count(instance.clients, "client")))\
      </section>

      """
  }

  private func share(_ part: Double, of whole: Double, _ what: String) -> String {
    guard whole > 0 else { return "no \(what)" }
    return "\(HumanFormat.percent(part / whole)): \(HumanFormat.count(part)) of \(HumanFormat.count(whole)) \(what)"
  }

  private func curve(_ line: Sparkline, total: String, more: String) -> HTML {
    """
    <figure class="card">
    <figcaption><strong>\(line.title)</strong><span>\(total)</span></figcaption>
    \(line.svg)
    <p class="scale"><span>\(HumanFormat.duration(report.windowSeconds)) ago</span>\
    <span>\(line.peak.map { "peak \(line.format($0))" } ?? "nothing yet")</span><span>now</span></p>
    <p class="muted">\(more)</p>
    </figure>

    """
  }

  /// Returns the table of stores.
  func stores(_ instance: InstanceReport) -> HTML {
    let id = "instance-\(instance.name)-stores"
    let heads = instance.stores.map { store -> HTML in
      """
      <th scope="col">\(store.title(in: instance.state))\(HTML.when(store.isDefault, " <small>default</small>"))</th>
      """
    }
    let rows = StoreReport.rows(windowSeconds: report.windowSeconds).map { row -> HTML in
      let cells = instance.stores.map { store -> HTML in
        let health = store.problem == nil ? "health" : "health bad"
        return """
          <td\(HTML.when(row.title == "Health", " class=\"\(health)\""))>\(row.value(store))</td>
          """
      }
      return """
        <tr><th scope="row">\(row.title)</th>\(cells)</tr>

        """
    }
    return """
      <section class="card" aria-labelledby="\(id)">
      <h3 id="\(id)">Stores</h3>
      <table class="stores">
      <caption class="hidden">Stores of \(instance.name)</caption>
      <thead><tr><td></td>\(heads)</tr></thead>
      <tbody>
      \(rows)</tbody>
      </table>
      </section>

      """
  }

  /// Returns the list of hazards in the inventory.
  func hazards(_ instance: InstanceReport) -> HTML {
    let id = "instance-\(instance.name)-hazards"
    let items = instance.hazards.map { hazard -> HTML in
      """
      <div><dt><strong>\(hazard.name)</strong> \
      <span>\(hazard.commands.joined(separator: ", ")): \(HumanFormat.count(hazard.count, "time"))</span></dt>\
      <dd>\(hazard.sentence)</dd></div>

      """
    }
    let list: HTML = """
      <p>Each wants a look before the first flag is flipped:</p>
      <dl class="hazards">
      \(items)</dl>

      """
    return """
      <section class="card" aria-labelledby="\(id)">
      <h3 id="\(id)">Hazards in the inventory</h3>
      \(instance.hazards.isEmpty ? "<p>None among the commands that clients have sent so far.</p>\n" : list)\
      </section>

      """
  }
}
