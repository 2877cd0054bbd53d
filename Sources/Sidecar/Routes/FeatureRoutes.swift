internal import HTTPServer
internal import Status

/// Feature flags in the manner of GitLab's Features API (docs.gitlab.com/api/features).
///
/// The answers have GitLab's fields, so that its clients can read them; `definition` is always null. The differences:
/// GET works for one flag too, setting an unknown flag does not create it, the only gate is `boolean`, a change that
/// moves the default store to outdated keys needs `force=true`, and errors are plain text.
struct FeatureRoutes: Sendable {
  /// The routes.
  let routes: [HTTPRoute]

  /// The number of characters of a name that an answer repeats; the longest real names are well below.
  private static let shownCharacters = 200

  /// Creates the routes.
  ///
  /// - Parameters:
  ///   - store: Read and changed on the server's thread.
  ///   - flips: Refuses changes that are not forced, and waits for those that are made.
  init(_ store: FeatureFlagStore, flips: FlipGuard = FlipGuard()) {
    let namePath = "\(AdminPath.features)/{name}"
    routes = [
      HTTPRoute([.get], AdminPath.features) { _ in
        .json(JSONText.array(store.features().map(Self.json)) + "\n")
      },
      HTTPRoute([.get], namePath) { request in Self.show(request.pathParameter ?? "", status: 200, store) },
      HTTPRoute([.post], namePath) { request in Self.set(request, store, flips) },
      HTTPRoute([.delete], namePath) { request in Self.remove(request, store, flips) },
    ]
  }

  private static func set(_ request: HTTPRequest, _ store: FeatureFlagStore, _ flips: FlipGuard) -> HTTPResponse {
    let name = request.pathParameter ?? ""
    // An unknown name is reported before a wrong value.
    guard store.isOn(name) != nil else { return unknown(name, store) }
    do throws(FeatureChange.Mistake) {
      let change = try FeatureChange(setBy: request)
      if let refusal = flips.refusal(of: change, to: name) { return refusal }
      do throws(FeatureFlagError) {
        try store.set(name, to: change.isOn, source: .adminAPI)
        flips.waitUntilRecorded(name)
        return show(name, status: 201, store)
      } catch {
        return refusal(error, name)
      }
    } catch {
      return .text(error.message, status: 400)
    }
  }

  private static func remove(_ request: HTTPRequest, _ store: FeatureFlagStore, _ flips: FlipGuard) -> HTTPResponse {
    let name = request.pathParameter ?? ""
    do throws(FeatureChange.Mistake) {
      let change = try FeatureChange(removedBy: request)
      if let refusal = flips.refusal(of: change, to: name) { return refusal }
      do throws(FeatureFlagError) {
        try store.remove(name, source: .adminAPI)
        flips.waitUntilRecorded(name)
        return .noContent
      } catch {
        return refusal(error, name)
      }
    } catch {
      return .text(error.message, status: 400)
    }
  }

  private static func show(_ name: String, status: Int, _ store: FeatureFlagStore) -> HTTPResponse {
    guard let isOn = store.isOn(name) else { return unknown(name, store) }
    return .json(json(name, isOn: isOn) + "\n", status: status)
  }

  private static func unknown(_ name: String, _ store: FeatureFlagStore) -> HTTPResponse {
    refusal(.unknownFlag(name, known: store.features().map(\.name)), name)
  }

  private static func refusal(_ error: FeatureFlagError, _ name: String) -> HTTPResponse {
    let shown = name.prefix(shownCharacters)
    return switch error {
    case .unknownFlag(_, let known):
      .text("There is no feature flag '\(shown)'. Known flags: \(known.joined(separator: " "))", status: 404)
    case .readOnly: .text("The feature flag '\(shown)' cannot be changed here: \(error)", status: 409)
    case .invalidFile, .unreadable, .writeFailed:
      .text("The feature flag '\(shown)' was not changed: \(error)", status: 500)
    }
  }

  private static func json(_ name: String, isOn: Bool) -> String {
    JSONText.object([
      "name": JSONText.quote(name),
      "state": isOn ? "\"on\"" : "\"off\"",
      "gates": JSONText.array([JSONText.object(["key": "\"boolean\"", "value": "\(isOn)"])]),
      "definition": "null",
    ])
  }
}

extension FlipGuard {
  /// Returns the refusal of a change of a flag; nil if it may be made.
  fileprivate func refusal(of change: FeatureChange, to name: String) -> HTTPResponse? {
    guard !change.isForced, let reason = refusal(ofSetting: name, to: change.isOn) else { return nil }
    return .text("The feature flag '\(name)' was not changed: \(reason)", status: 409)
  }
}
