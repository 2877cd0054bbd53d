/// The operation on a whole key of the target.
enum KeyVerb {
  /// The source's value replaces the target's. If the source has none, the target's is removed.
  case copyOver
  /// The source's value is stored if the target has none.
  case copyIfAbsent
  /// A client's command replaces the key, and nothing is copied; see ``KeyReplacement``.
  case replace
}
