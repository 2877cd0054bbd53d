/// Gives the admin API access to the flag store. Its methods are called on the HTTP server's thread.
struct FlagAdministration: FeatureAdministration {
  let store: FeatureFlagStore

  func features() -> [Feature] {
    store.features().map { Feature(name: $0.name, isOn: $0.isOn) }
  }

  func setFeature(named name: String, to isOn: Bool) throws(FeatureChangeError) {
    do {
      try store.set(name, to: isOn, source: .adminAPI)
    } catch {
      throw FeatureChangeError(Self.kind(error), name: name)
    }
  }

  func removeFeature(named name: String) throws(FeatureChangeError) {
    do {
      try store.remove(name, source: .adminAPI)
    } catch {
      throw FeatureChangeError(Self.kind(error), name: name)
    }
  }

  private static func kind(_ error: FeatureFlagError) -> FeatureChangeError.Kind {
    switch error {
    case .unknownFlag(_, let known): .unknown(known: known)
    case .readOnly: .readOnly(reason: error.description)
    case .invalidFile, .unreadable, .writeFailed: .failed(reason: error.description)
    }
  }
}
