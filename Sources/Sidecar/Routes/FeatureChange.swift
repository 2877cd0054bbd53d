internal import HTTPServer

/// The parameters of a request that sets or removes a feature flag.
struct FeatureChange {
  /// The flag's new value.
  let isOn: Bool
  /// Whether the default store may move to one that is not trusted or has too many stale keys.
  let isForced: Bool

  /// The error of a request with wrong parameters, as a sentence.
  struct Mistake: Error {
    let message: String
  }

  /// Reads a request that sets a flag. No other member of a JSON body is accepted, since a flag has no other gate.
  init(setBy request: HTTPRequest) throws(Mistake) {
    let fields = RequestFields(request, known: ["value", "force"])
    guard let fields, let value = fields.single("value").flatMap(ScalarValues.boolean) else {
      throw Mistake(
        message: "value has to be given once, as true or false, in the form, the query or the JSON body; "
          + "force=true may be given beside it."
      )
    }
    isOn = value
    isForced = try Self.force(in: fields)
  }

  /// Reads a request that removes a flag, which turns it off.
  init(removedBy request: HTTPRequest) throws(Mistake) {
    isOn = false
    isForced = try Self.force(in: RequestFields(request, known: ["force"]))
  }

  private static func force(in fields: RequestFields?) throws(Mistake) -> Bool {
    if let fields, !fields.names.contains("force") { return false }
    guard let isForced = fields?.single("force").flatMap(ScalarValues.boolean) else {
      throw Mistake(message: "force may be given once, as true or false.")
    }
    return isForced
  }
}
