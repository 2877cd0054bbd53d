extension SidecarConfiguration {
  /// All keys with type, default and meaning, as Markdown: `deploy/configuration.md` has this text.
  public static var reference: String {
    SettingSection.ofSidecar.map(\.reference).joined(separator: "\n")
  }
}

extension WebConfiguration {
  /// All keys of the file that `--web.config.file` names, in the same form.
  static var reference: String {
    SettingSection.ofWeb.map(\.reference).joined(separator: "\n")
  }
}

extension SettingSection {
  fileprivate var reference: String {
    var lines = ["### \(title)", "", "| key | type | default | meaning |", "|---|---|---|---|"]
    for setting in settings {
      lines.append("| `\(setting.name)` | \(setting.kind.label) | \(setting.fallback.label) | \(setting.meaning) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Setting.Default {
  /// The cell of the table.
  fileprivate var label: String {
    switch self {
    case .required: "required"
    case .none(let text): text
    case .value(let text): "`\(text)`"
    }
  }
}
