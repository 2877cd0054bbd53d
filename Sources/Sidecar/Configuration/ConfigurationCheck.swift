internal import MultiStore
internal import Sockets
internal import Status

/// Checks configurations for `check-config`.
public enum ConfigurationCheck {
  /// The findings.
  public struct Report: Sendable {
    /// Lines of text: one for each error, and a summary.
    public let text: String
    /// Lines of text: one for each warning.
    public let warnings: String
    /// 0 when the sidecar would start with this configuration, 1 otherwise.
    public let exitCode: Int32
  }

  /// Reads a configuration and the feature flag file that it names, and reports their mistakes.
  public static func report(
    file: String,
    environment: @escaping @Sendable (String) -> String? = ProcessEnvironment.value
  ) -> Report {
    let result = SidecarConfiguration.load(file: file, environment: environment)
    var problems = result.problems
    if let path = result.configuration?.featureFlagFile { problems += flagProblems(path) }
    if let path = result.configuration?.stateDirectory { problems += stateProblems(path) }
    return report(problems, of: file, summary: result.configuration.map(summary))
  }

  /// Returns the problems, one line each, with their number. A configuration without errors has a summary.
  static func report(_ problems: [ConfigurationProblem], of file: String, summary: String?) -> Report {
    let errors = problems.count { !$0.isWarning }
    let warnings = problems.count - errors
    var counts: [String] = []
    if errors > 0 { counts.append(HumanFormat.count(Double(errors), "error")) }
    if warnings > 0 { counts.append(HumanFormat.count(Double(warnings), "warning")) }
    var lines = problems.filter { !$0.isWarning }.map(\.description)
    if errors == 0, let summary {
      lines.append("\(file): \((["OK"] + counts).joined(separator: ", ")): \(summary)")
    } else {
      lines.append("\(file): \(counts.joined(separator: ", "))")
    }
    return Report(
      text: lines.map { "\($0)\n" }.joined(),
      warnings: problems.filter(\.isWarning).map { "\($0)\n" }.joined(),
      exitCode: errors == 0 ? 0 : 1
    )
  }

  /// Returns the mistakes in a flag file. A missing file is none: it is created when the first flag is set.
  private static func flagProblems(_ path: String) -> [ConfigurationProblem] {
    do {
      _ = try FeatureFlagFile.read(path)
      return []
    } catch {
      let (position, message): (SourcePosition?, String)
      switch error {
      case .invalid(let place, let sentence): (position, message) = (place, sentence)
      case .unreadable(let failure):
        guard !failure.isNotFound else { return [] }
        (position, message) = (nil, "cannot be read: \(failure)")
      }
      return [ConfigurationProblem(file: path, position: position, keyPath: "", message: message, isWarning: false)]
    }
  }

  /// Returns a warning if stale keys could not be kept in a folder, as this user. The sidecar starts nevertheless.
  private static func stateProblems(_ path: String) -> [ConfigurationProblem] {
    guard let failure = StalenessJournal.problem(withFolder: path) else { return [] }
    let message = "state_directory: \(failure): stale keys would be kept in memory only"
    return [ConfigurationProblem(file: path, position: nil, keyPath: "", message: message, isWarning: true)]
  }

  private static func summary(_ configuration: SidecarConfiguration) -> String {
    let instances = configuration.instances.map { instance in
      let listen = instance.listen.map(\.description).joined(separator: ", ")
      let primary = instance.primary.map { "primary \($0)" } ?? "no primary"
      return "\(instance.name): \(listen) → \(primary), secondary \(instance.secondary)"
    }
    return "\(HumanFormat.count(Double(instances.count), "instance")) (\(instances.joined(separator: "; ")))"
  }
}
