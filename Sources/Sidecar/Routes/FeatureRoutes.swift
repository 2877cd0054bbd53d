internal import HTTPServer
internal import Status

/// Feature flags in the manner of GitLab's Features API (docs.gitlab.com/api/features).
///
/// The answers have GitLab's fields, so that its clients can read them; `definition` is always null. The differences:
/// GET works for one flag too, setting an unknown flag does not create it, the only gate is `boolean`, and errors are
/// plain text.
struct FeatureRoutes: Sendable {
  /// The routes.
  let routes: [HTTPRoute]

  /// The number of characters of a name that an answer repeats; the longest real names are well below.
  private static let shownCharacters = 200

  /// Creates the routes.
  ///
  /// - Parameter store: Read and changed on the server's thread.
  init(_ store: FeatureFlagStore) {
    let namePath = "\(AdminPath.features)/{name}"
    routes = [
      HTTPRoute([.get], AdminPath.features) { _ in
        .json(JSONText.array(store.features().map(Self.json)) + "\n")
      },
      HTTPRoute([.get], namePath) { request in Self.show(request.pathParameter ?? "", status: 200, store) },
      HTTPRoute([.post], namePath) { request in Self.set(request, store) },
      HTTPRoute([.delete], namePath) { request in
        let name = request.pathParameter ?? ""
        do throws(FeatureFlagError) {
          try store.remove(name, source: .adminAPI)
          return .noContent
        } catch {
          return Self.refusal(error, name)
        }
      },
    ]
  }

  private static func set(_ request: HTTPRequest, _ store: FeatureFlagStore) -> HTTPResponse {
    let name = request.pathParameter ?? ""
    // An unknown name is reported before a wrong value.
    guard store.isOn(name) != nil else { return unknown(name, store) }
    guard let isOn = FeatureValue.read(from: request) else {
      return .text(
        "value has to be given once, as true or false, in the form, the query or the JSON body.",
        status: 400
      )
    }
    do {
      try store.set(name, to: isOn, source: .adminAPI)
    } catch {
      return refusal(error, name)
    }
    return show(name, status: 201, store)
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
