/// The admin API: feature flags in the manner of GitLab's Features API (docs.gitlab.com/api/features).
///
/// The answers have GitLab's fields, so that its clients can read them; `definition` is always null. What differs: GET
/// works for one flag too, flags are not made by setting them, the only gate is `boolean`, and errors are plain text.
public struct FeatureRoutes: Sendable {
  /// The path of the list.
  public static let listPath = "/api/v4/features"

  /// What to give to ``HTTPServer``.
  public let routes: [HTTPRoute]

  /// The path of one flag, for a client.
  public static func path(ofFeature name: String) -> String { "\(listPath)/\(PercentEncoding.encode(name))" }

  /// The routes.
  ///
  /// - Parameter administration: Asked on the server's thread.
  public init(_ administration: any FeatureAdministration) {
    let namePath = "\(Self.listPath)/{name}"
    routes = [
      HTTPRoute([.get], Self.listPath) { _ in
        .json("[\(administration.features().map(Self.json).joined(separator: ","))]\n")
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
    // An unknown name is told first: a wrong value for no flag at all is the smaller mistake.
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
    """
    {"name":\(JSONText.quote(feature.name)),"state":"\(feature.isOn ? "on" : "off")",\
    "gates":[{"key":"boolean","value":\(feature.isOn)}],"definition":null}
    """
  }
}
