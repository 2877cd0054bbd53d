internal import HTTPServer
internal import MultiStore
internal import Status

/// The parameters of a request for the stale keys.
struct StaleQuery {
  /// The limits on the keys of a store that are listed.
  static let limits = 1...100_000
  /// The default limit.
  static let defaultLimit = 1000

  private(set) var instance: String?
  private(set) var store: StoreRole?
  private(set) var limit = defaultLimit
  private(set) var showsKeys = false
  private(set) var format = ReportFormat.json

  /// The error of a request with wrong parameters, as a sentence.
  struct Mistake: Error {
    let message: String
  }

  /// Reads the parameters; each has to be known.
  init(_ fields: [HTTPField]) throws(Mistake) {
    for field in fields {
      switch field.name {
      case "instance": instance = field.value
      case "store":
        store = try Self.known(StoreRole(label: field.value), "store has to be primary or secondary.")
      case "limit":
        let (least, most) = (Self.limits.lowerBound, Self.limits.upperBound)
        let limit = ScalarValues.integer(field.value).flatMap { Self.limits.contains($0) ? $0 : nil }
        self.limit = try Self.known(limit, "limit has to be a whole number from \(least) to \(most).")
      case "show_keys":
        showsKeys = try Self.known(ScalarValues.boolean(field.value), "show_keys has to be true or false.")
      case "format":
        format = try Self.known(ReportFormat(rawValue: field.value), "format has to be json or table.")
      default:
        throw Mistake(message: "This takes the parameters instance, store, limit, show_keys and format, and no others.")
      }
    }
  }

  private static func known<Value>(_ value: Value?, _ message: String) throws(Mistake) -> Value {
    guard let value else { throw Mistake(message: message) }
    return value
  }
}

extension HTTPRoute {
  /// A route that lists the stale keys of instances, those that have been stale for longest first.
  static func staleKeys(of instances: [InstanceAccess]) -> HTTPRoute {
    HTTPRoute([.get], AdminPath.stale) { request in
      let query: StaleQuery
      do throws(StaleQuery.Mistake) {
        query = try StaleQuery(request.query)
      } catch {
        return .text(error.message, status: 400)
      }
      let asked = query.instance.map { name in [instances.named(name)].compactMap(\.self) } ?? instances
      guard !asked.isEmpty else { return instances.unknownInstance }
      do throws(InstanceAccess.NoAnswer) {
        let report = try StaleKeysReport(
          asking: asked,
          store: query.store,
          limit: query.limit,
          showsKeys: query.showsKeys
        )
        return query.format == .json ? .json(report.json + "\n") : .plain(report.text)
      } catch {
        return error.response
      }
    }
  }
}
