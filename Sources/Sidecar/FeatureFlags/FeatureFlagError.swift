/// A failure to read flags at the start, or to change one. No flag has changed when it is thrown.
public enum FeatureFlagError: Error, Equatable, CustomStringConvertible {
  /// No instance has a flag of this name; `known` are the names that exist.
  case unknownFlag(String, known: [String])
  /// The file has contents other than flags. It is left unchanged for the operator to correct.
  case invalidFile(path: String, problem: String)
  /// The file cannot be read.
  case unreadable(path: String, reason: String)
  /// The file cannot be changed from here, as is the case with a ConfigMap.
  case readOnly(path: String, reason: String)
  /// Writing failed, for instance because the disk is full.
  case writeFailed(path: String, reason: String)

  /// The reason and the remedy in one sentence.
  public var description: String {
    switch self {
    case .unknownFlag(let name, let known):
      "no instance has a feature flag \"\(LoadContext.shown(name))\"; \(NearestName.hint(for: name, among: known))"
    case .invalidFile(let path, let problem):
      "the feature flag file \(path) is not valid (\(problem)); mend it first, nothing was changed"
    case .unreadable(let path, let reason):
      "the feature flag file \(path) cannot be read: \(reason)"
    case .readOnly(let path, let reason):
      "the feature flag file \(path) cannot be changed from here (\(reason)); "
        + "change it where it comes from, such as its ConfigMap"
    case .writeFailed(let path, let reason):
      "the feature flag file \(path) cannot be written: \(reason); nothing was changed"
    }
  }
}
