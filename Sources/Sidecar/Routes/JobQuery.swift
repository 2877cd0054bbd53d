internal import HTTPServer
internal import MultiStore

/// A request about jobs that has a mistake, as a sentence.
struct JobMistake: Error {
  let message: String
}

/// The parameters of a request for the progress of jobs.
struct JobQuery {
  private(set) var instance: String?
  private(set) var kind: KeyJobKind?
  private(set) var showsKeys = false
  private(set) var format = JobFormat.json

  /// Reads the parameters; each has to be known.
  init(_ fields: [HTTPField]) throws(JobMistake) {
    for field in fields {
      switch field.name {
      case "instance": instance = field.value
      case "job": kind = try JobFields.kind(field.value)
      case "show_keys":
        guard let shows = ScalarValues.boolean(field.value) else {
          throw JobMistake(message: "show_keys has to be true or false.")
        }
        showsKeys = shows
      case "format":
        guard let format = JobFormat(rawValue: field.value) else {
          throw JobMistake(message: "format has to be json, table or line.")
        }
        self.format = format
      default:
        throw JobMistake(message: "This takes the parameters instance, job, show_keys and format, and no others.")
      }
    }
  }
}

/// The fields of a request that starts or changes a job.
struct JobFields {
  private static let starting = ["match", "type", "rate", "dry_run", "rounds", "heal", "limit"]

  private let fields: RequestFields
  /// The operator's name, for the log.
  let who: String
  let instance: String
  let kind: KeyJobKind

  /// Reads the fields that each such request has.
  ///
  /// - Parameter more: The names of others that this one may have.
  init(_ request: HTTPRequest, more: [String]) throws(JobMistake) {
    let known = Set(["instance", "job", "who"] + more)
    guard let fields = RequestFields(request, known: known), known.isSuperset(of: fields.names) else {
      throw JobMistake(message: "This takes the parameters \(known.sorted().joined(separator: ", ")), and no others.")
    }
    self.fields = fields
    who = fields.single("who") ?? ""
    guard let instance = fields.single("instance"), let job = fields.single("job") else {
      throw JobMistake(message: "instance and job have to be given once each.")
    }
    self.instance = instance
    kind = try Self.kind(job)
  }

  /// Reads a request that starts a job.
  static func start(_ request: HTTPRequest) throws(JobMistake) -> (JobFields, KeyJobRequest) {
    let fields = try JobFields(request, more: starting)
    var job = KeyJobRequest(fields.kind)
    job.rate = try fields.number("rate", KeyJobRequest.rates) ?? job.rate
    job.findingLimit = try fields.number("limit", KeyJobRequest.findingLimits) ?? job.findingLimit
    job.rounds = try fields.number("rounds", KeyJobRequest.roundLimits) ?? job.rounds
    job.isDryRun = try fields.boolean("dry_run")
    job.heals = try fields.boolean("heal")
    job.pattern = fields.fields.single("match")
    job.type = fields.fields.single("type")
    if let pattern = job.pattern, pattern.utf8.count > KeyJobRequest.longestPattern || pattern.isEmpty {
      throw JobMistake(message: "match has to be a pattern of 1 to \(KeyJobRequest.longestPattern) bytes.")
    }
    if let type = job.type, !KeyJobRequest.types.contains(type) {
      throw JobMistake(message: "type has to be one of \(KeyJobRequest.types.joined(separator: ", ")).")
    }
    let foreign = job.kind == .backfill ? ["rounds", "heal"] : ["dry_run"]
    for name in foreign where fields.fields.names.contains(name) {
      throw JobMistake(message: "\(name) is no parameter of the job \(job.kind.rawValue).")
    }
    return (fields, job)
  }

  /// Reads a request that changes a job.
  ///
  /// - Parameter change: `pause`, `resume`, `cancel` or `rate`.
  static func change(_ request: HTTPRequest, _ change: String) throws(JobMistake) -> (JobFields, KeyJobChange) {
    let fields = try JobFields(request, more: change == "rate" ? ["value"] : [])
    switch change {
    case "pause": return (fields, .pause)
    case "resume": return (fields, .resume)
    case "cancel": return (fields, .cancel)
    default:
      guard let rate = try fields.number("value", KeyJobRequest.rates) else {
        throw JobMistake(message: "value has to be given: the new rate.")
      }
      return (fields, .rate(rate))
    }
  }

  fileprivate static func kind(_ word: String) throws(JobMistake) -> KeyJobKind {
    guard let kind = KeyJobKind(rawValue: word) else {
      throw JobMistake(message: "job has to be \(KeyJobKind.allCases.map(\.rawValue).joined(separator: " or ")).")
    }
    return kind
  }

  private func number(_ name: String, _ range: ClosedRange<Int>) throws(JobMistake) -> Int? {
    guard fields.names.contains(name) else { return nil }
    guard let number = fields.single(name).flatMap(ScalarValues.integer), range.contains(number) else {
      let (least, most) = (range.lowerBound, range.upperBound)
      throw JobMistake(message: "\(name) has to be a whole number from \(least) to \(most).")
    }
    return number
  }

  private func boolean(_ name: String) throws(JobMistake) -> Bool {
    guard fields.names.contains(name) else { return false }
    guard let value = fields.single(name).flatMap(ScalarValues.boolean) else {
      throw JobMistake(message: "\(name) has to be true or false.")
    }
    return value
  }
}
