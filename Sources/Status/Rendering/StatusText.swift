/// Renders the report for a terminal: for each instance its state, the next step with its criteria, and a table of the
/// stores.
struct StatusText {
  let report: StatusReport

  /// The text, with a line end at its end.
  var text: String { report.instances.map(text).joined(separator: "\n") }

  private func text(of instance: InstanceReport) -> String {
    let state = instance.state
    let age = HumanFormat.duration(Double(report.takenMilliseconds - state.sinceMilliseconds) / 1000)
    var text = "\(instance.name): \(state.title), for \(age)\n\(state.sentence)\n"
    if let step = instance.nextStep { text += "\n" + next(step) }
    text += "\n" + stores(of: instance)
    for job in instance.jobs { text += "\n\(job.summary(report.takenMilliseconds))\n" }
    if !instance.hazards.isEmpty {
      let names = instance.hazards.map { "\($0.name) (\($0.commands.joined(separator: ", ")))" }
      text += "\nHazards: \(names.joined(separator: "; "))\nSee multistore-exporter inventory for what they mean.\n"
    }
    return text
  }

  /// Returns the lines of each criterion; the threshold and the advice follow where it is not met.
  private func next(_ step: NextStep) -> String {
    let width = step.criteria.map(\.name.title.count).max() ?? 0
    var text = "Safe to \(step.kind.title)? \(step.answer.title).\n"
    for criterion in step.criteria {
      var lines = Self.wrapped(criterion.measured)
      if criterion.result != .met {
        lines += Self.wrapped("wanted: \(criterion.threshold)") + Self.wrapped(criterion.advice)
      }
      let result = Self.padded(criterion.result.title.lowercased(), to: Self.resultWidth)
      let head = "  \(result)  \(Self.padded(criterion.name.title, to: width))  "
      let indent = String(repeating: " ", count: head.count)
      for (index, line) in lines.enumerated() { text += (index == 0 ? head : indent) + line + "\n" }
    }
    return text + "The next step\(step.answer == .yes ? "" : ", when all is met"):\n  \(step.command)\n"
  }

  /// The width of `not met` and `unknown`.
  private static let resultWidth = 7
  /// The width of the column to the right of a criterion's name, in characters: 120 in all.
  private static let wrapWidth = 78

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// Breaks a text into lines of at most ``wrapWidth`` characters.
  private static func wrapped(_ text: String) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= wrapWidth {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  private func stores(of instance: InstanceReport) -> String {
    let titles = instance.stores.map { store in
      store.title(in: instance.state).uppercased() + (store.isDefault ? " (DEFAULT)" : "")
    }
    let rows = StoreReport.rows(windowSeconds: report.windowSeconds).map { row in
      [row.title] + instance.stores.map(row.value)
    }
    return TextTable.aligned([["STORES"] + titles] + rows)
  }
}
