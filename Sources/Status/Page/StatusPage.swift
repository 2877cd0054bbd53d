/// Renders the page at `/status`: every instance with its state, its next step, its recent figures and its stores. It
/// is complete without JavaScript; with it the page refreshes itself.
struct StatusPage {
  /// Allows the style, script, icon and report of the same origin alone; no framing, no forms.
  static let contentSecurityPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  let report: StatusReport

  /// The whole document. Its links are relative, so that it works behind a proxy that adds a path.
  var html: HTML {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>\(title)</title>
    <link rel="icon" href="status.svg">
    <link rel="stylesheet" href="status.css">
    <script src="status.js" defer></script>
    </head>
    <body>
    <a class="skip" href="#instances">Skip to the instances</a>
    <header>
    <div>
    <h1>Migration status</h1>
    <p>multistore-exporter \(report.version), up for \(uptime)</p>
    </div>
    <p class="live"><span id="live">Reload for newer figures.</span> As of \(moment(report.takenMilliseconds)).</p>
    </header>
    <p id="lost" role="alert" hidden></p>
    <main id="instances">
    \(HTML.when(report.instances.count > 1, overview))\
    \(report.instances.map(section))\
    </main>
    <footer>
    <p>This page changes nothing. The same as <a href="api/v4/status">JSON</a>, and in a terminal:
    <code>multistore-exporter status</code>. <a href="./">Other pages</a></p>
    </footer>
    </body>
    </html>

    """
  }

  /// The title, beginning with the answer: a browser's tab shows the beginning.
  private var title: String {
    let answers = report.instances.compactMap { instance in
      instance.nextStep.map { "\(instance.name): \($0.answer.title.lowercased())" }
    }
    let shown = answers.count == 1 ? "\(answers[0]) - " : ""
    return "\(shown)Migration status"
  }

  private var uptime: String {
    HumanFormat.duration(Double(report.takenMilliseconds - report.startedMilliseconds) / 1000)
  }

  private func moment(_ milliseconds: Int64) -> HTML {
    """
    <time datetime="\(HumanFormat.iso8601(milliseconds: milliseconds))">\
    \(HumanFormat.moment(milliseconds: milliseconds))</time>
    """
  }

  private var overview: HTML {
    let items = report.instances.map { instance -> HTML in
      """
      <li><a href="#\(id(instance))">\(instance.name)</a> <span>\(instance.state.title)</span> \
      \(instance.nextStep.map { badge($0.answer) } ?? "")</li>

      """
    }
    return """
      <nav aria-label="Instances"><ul class="overview">
      \(items)</ul></nav>

      """
  }

  private func section(of instance: InstanceReport) -> HTML {
    let id = id(instance)
    let since = instance.state.sinceMilliseconds
    return """
      <section class="instance" id="\(id)" aria-labelledby="\(id)-name">
      <h2 id="\(id)-name">\(instance.name)</h2>
      <section class="card" aria-labelledby="\(id)-state">
      <h3 id="\(id)-state">\(instance.state.title)</h3>
      \(HTML.when(!instance.state.isPassThrough, steps(instance)))\
      \(StatePicture(instance: instance).svg(id: "\(id)-picture"))
      <p>\(instance.state.sentence)</p>
      <p class="muted">Since \(moment(since)), for \(age(since)).</p>
      \(flags(instance))\
      </section>
      <div class="decision">
      \(instance.nextStep.map { next($0, of: instance) } ?? noStep(id))\
      \(hazards(instance))\
      </div>
      \(history(instance))\
      \(stores(instance))\
      \(HTML.when(!instance.jobs.isEmpty, jobs(instance)))\
      </section>

      """
  }

  /// Returns the list of stages with the present one marked.
  private func steps(_ instance: InstanceReport) -> HTML {
    let items = InstanceReport.State.Stage.allCases.map { stage -> HTML in
      let mark: HTML =
        stage == instance.state.stage
        ? " aria-current=\"step\"" : stage.rawValue < instance.state.stage.rawValue ? " class=\"done\"" : ""
      return """
        <li\(mark)>\(stage.stepTitle)</li>
        """
    }
    return """
      <ol class="steps" aria-label="Stages of the migration">\(items)</ol>

      """
  }

  private func flags(_ instance: InstanceReport) -> HTML {
    guard !instance.flags.isEmpty else { return "" }
    let items = instance.flags.map { flag -> HTML in
      """
      <div><dt>\(flag.name)</dt><dd>\(flag.isOn ? "on" : "off")</dd></div>
      """
    }
    return """
      <dl class="flags">\(items)</dl>

      """
  }

  private func noStep(_ id: String) -> HTML {
    """
    <section class="card" aria-labelledby="\(id)-next"><h3 id="\(id)-next">Next step</h3>
    <p>None: a migration begins with a primary store in the configuration of this instance.</p></section>

    """
  }

  func badge(_ answer: NextStep.Answer) -> HTML {
    """
    <span class="badge \(answer.rawValue)">\(answer.title)</span>
    """
  }

  private func age(_ milliseconds: Int64) -> String {
    HumanFormat.duration(Double(report.takenMilliseconds - milliseconds) / 1000)
  }

  /// The id of an instance's section. Names of instances are letters, digits and underscores; the prefix keeps them
  /// apart from the page's own ids.
  private func id(_ instance: InstanceReport) -> String { "instance-\(instance.name)" }
}
