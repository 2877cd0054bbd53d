/// A job as a journal keeps it for the next process: lines of a name and a value.
public struct KeyJobCheckpoint: Sendable, Equatable {
  /// The progress, without the keys that a report names.
  public internal(set) var progress: KeyJobProgress
  let position: ScanCourse.Position?
  /// The run IDs of both servers, which hold the keys that were scanned and copied.
  let runIDs: [StoreRole: String]

  init(progress: KeyJobProgress, position: ScanCourse.Position?, runIDs: [StoreRole: String]) {
    self.progress = progress
    self.progress.findings = []
    self.progress.largeKeys = []
    self.position = position
    self.runIDs = runIDs
  }

  /// The text of the checkpoint.
  public var text: String {
    let request = progress.request
    var lines = [
      "kind \(request.kind.rawValue)", "rate \(request.rate)", "rounds \(request.rounds)",
      "findings \(request.findingLimit)", "dry_run \(request.isDryRun)", "heal \(request.heals)",
      "void \(progress.isVoid)",
      "default \(progress.defaultStore.label)", "started \(progress.startedMilliseconds)",
      "scanned \(progress.scannedKeys)", "bytes \(progress.copiedBytes)", "state \(Self.word(progress.state))",
    ]
    func add(_ name: String, _ value: String?) { if let value { lines.append("\(name) \(value)") } }
    add("match", request.pattern.map { Self.hexadecimal(Array($0.utf8)) })
    add("type", request.type)
    add("ended", progress.endedMilliseconds.map(String.init))
    add("expected", progress.expectedKeys.map(String.init))
    for (role, runID) in runIDs { add("run_id", "\(role.label) \(runID)") }
    if let position {
      let cursor = String(decoding: position.cursor, as: UTF8.self)
      add("position", "\(position.place.database) \(position.place.role.label) \(cursor)")
    }
    for (role, version) in progress.versions { add("version", "\(role.label) \(version)") }
    for (result, count) in progress.counts { add("count", "\(result.rawValue) \(count)") }
    for (reason, count) in progress.failures { add("failure", "\(count) \(Self.hexadecimal(Array(reason.utf8)))") }
    return (lines + [Self.end]).joined(separator: "\n")
  }

  /// The last line, which shows that the text is whole.
  private static let end = "end"

  /// Reads a text; nil if it is none.
  public init?(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.last == Self.end[...] else { return nil }
    var values: [Substring: [Substring]] = [:]
    for line in lines.dropLast() {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      values[parts[0], default: []].append(parts[1])
    }
    func value(_ name: Substring) -> String? { values[name]?.first.map(String.init) }
    func number(_ name: Substring) -> Int? { value(name).flatMap { Int($0) } }
    guard let kind = value("kind").flatMap(KeyJobKind.init), let rate = number("rate"),
      KeyJobRequest.rates.contains(rate), let rounds = number("rounds"), let findings = number("findings"),
      let role = value("default").flatMap(StoreRole.init(label:)), let started = number("started"),
      let state = value("state").flatMap(Self.state)
    else { return nil }
    var request = KeyJobRequest(kind)
    (request.rate, request.rounds, request.findingLimit) = (rate, rounds, findings)
    (request.isDryRun, request.heals) = (value("dry_run") == "true", value("heal") == "true")
    request.type = value("type")
    request.pattern = value("match").flatMap(Self.bytes).map { String(decoding: $0, as: UTF8.self) }
    progress = KeyJobProgress(request, defaultStore: role, now: Int64(started))
    progress.state = state
    progress.isVoid = value("void") == "true"
    progress.scannedKeys = number("scanned") ?? 0
    progress.copiedBytes = number("bytes") ?? 0
    progress.endedMilliseconds = number("ended").map(Int64.init)
    progress.expectedKeys = number("expected")
    runIDs = Self.byRole(values["run_id"] ?? [])
    position = value("position").flatMap(Self.position)
    progress.versions = Self.byRole(values["version"] ?? [])
    for count in values["count"] ?? [] {
      let parts = count.split(separator: " ")
      guard parts.count == 2, let result = KeyJobResult(rawValue: String(parts[0])) else { continue }
      progress.counts[result] = Int(parts[1])
    }
    for failure in values["failure"] ?? [] {
      let parts = failure.split(separator: " ")
      guard parts.count == 2, let reason = Self.bytes(String(parts[1])) else { continue }
      progress.failures[String(decoding: reason, as: UTF8.self)] = Int(parts[0])
    }
  }

  private static func byRole(_ texts: [Substring]) -> [StoreRole: String] {
    var found: [StoreRole: String] = [:]
    for text in texts {
      let parts = text.split(separator: " ", maxSplits: 1)
      if parts.count == 2, let role = StoreRole(label: String(parts[0])) { found[role] = String(parts[1]) }
    }
    return found
  }

  private static func position(_ text: String) -> ScanCourse.Position? {
    let parts = text.split(separator: " ")
    guard parts.count == 3, let database = Int(parts[0]), StoreKeyspace.databaseNumbers.contains(database),
      let role = StoreRole(label: String(parts[1]))
    else { return nil }
    return ScanCourse.Position(place: ScanCourse.Place(database: database, role: role), cursor: Array(parts[2].utf8))
  }

  private static func word(_ state: KeyJobState) -> String {
    switch state {
    case .running, .waiting: "running"
    case .paused(let pause): "paused.\(pause.rawValue)"
    case .ended(let outcome): "ended.\(outcome.rawValue)"
    }
  }

  private static func state(_ word: String) -> KeyJobState? {
    let parts = word.split(separator: ".").map(String.init)
    switch (parts.first, parts.count) {
    case ("running", 1): return .running
    case ("paused", 2): return KeyJobPause(rawValue: parts[1]).map(KeyJobState.paused)
    case ("ended", 2): return KeyJobOutcome(rawValue: parts[1]).map(KeyJobState.ended)
    default: return nil
    }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func bytes(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
