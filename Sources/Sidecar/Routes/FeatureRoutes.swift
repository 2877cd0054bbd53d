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

  /// Creates the routes.
  ///
  /// - Parameter administration: Called on the server's thread.
  init(_ administration: any FeatureAdministration) {
    let namePath = "\(AdminPath.features)/{name}"
    routes = [
      HTTPRoute([.get], AdminPath.features) { _ in
        .json(JSONText.array(administration.features().map(Self.json)) + "\n")
      },
      HTTPRoute([.get], namePath) { request in
        Self.show(request.pathParameter ?? "", status: 200, administration)
      },
      HTTPRoute([.post], namePath) { request in Self.set(request, administration) },
      HTTPRoute([.delete], namePath) { request in
        do throws(FeatureChangeError) {
          try administration.removeFeature(named: request.pathParameter ?? "")
          return .noContent
        } catch {
          return .text(error.description, status: error.status)
        }
      },
    ]
  }

  private static func set(_ request: HTTPRequest, _ administration: any FeatureAdministration) -> HTTPResponse {
    let name = request.pathParameter ?? ""
    let features = administration.features()
    // An unknown name is reported before a wrong value.
    guard features.contains(where: { $0.name == name }) else {
      return unknown(name, features)
    }
    guard let isOn = FeatureValue.read(from: request) else {
      return .text(
        "value has to be given once, as true or false, in the form, the query or the JSON body.",
        status: 400
      )
    }
    do throws(FeatureChangeError) {
      try administration.setFeature(named: name, to: isOn)
    } catch {
      return .text(error.description, status: error.status)
    }
    return show(name, status: 201, administration)
  }

  private static func show(
    _ name: String,
    status: Int,
    _ administration: any FeatureAdministration
  ) -> HTTPResponse {
    let features = administration.features()
    guard let feature = features.first(where: { $0.name == name }) else { return unknown(name, features) }
    return .json(json(feature) + "\n", status: status)
  }

  private static func unknown(_ name: String, _ features: [Feature]) -> HTTPResponse {
    let error = FeatureChangeError(.unknown(known: features.map(\.name)), name: name)
    return .text(error.description, status: error.status)
  }

  private static func json(_ feature: Feature) -> String {
    JSONText.object([
      "name": JSONText.quote(feature.name),
      "state": feature.isOn ? "\"on\"" : "\"off\"",
      "gates": JSONText.array([JSONText.object(["key": "\"boolean\"", "value": "\(feature.isOn)"])]),
      "definition": "null",
    ])
  }
}
