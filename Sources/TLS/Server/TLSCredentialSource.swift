/// A source of a server's credentials, which is asked for each connection: they may change. Any thread.
public protocol TLSCredentialSource: Sendable {
  /// Returns the credentials that apply now; nil if there are none that can be used.
  func currentCredentials() -> TLSCredentials?
}

extension TLSCredentials: TLSCredentialSource {
  /// Returns itself: settings with fixed contents do not change.
  public func currentCredentials() -> TLSCredentials? { self }
}

extension TLSServer: TLSCredentialSource {}
