/// The report as text for a terminal: for each instance its state, whether the next step is safe and why, and the
/// stores beside each other.
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
    if !instance.hazards.isEmpty {
      let names = instance.hazards.map { "\($0.name) (\($0.commands.joined(separator: ", ")))" }
      text += "\nHazards: \(names.joined(separator: "; "))\nSee multistore-exporter inventory for what they mean.\n"
    }
    return text
  }

  /// Some lines for each criterion, with what is wanted and what to do below those that are not met.
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

  /// As wide as `not met` and `unknown`.
  private static let resultWidth = 7
  /// Characters of a line to the right of a criterion's name; 120 in all are rarely too many.
  private static let wrapWidth = 78

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// The words of a text in lines that are not too long.
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
