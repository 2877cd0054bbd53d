#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The environment variables of this process.
public enum ProcessEnvironment {
  /// Returns the value of a variable; nil when it is not set. Any thread.
  @Sendable
  public static func value(_ name: String) -> String? {
    // Safe: nothing in this process changes the environment, and the text is copied at once.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
