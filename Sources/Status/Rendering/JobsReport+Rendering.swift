extension JobsReport {
  /// The report as one JSON object, without a line end.
  public var json: String {
    JSONText.object([
      "taken_timestamp_seconds": JSONText.seconds(milliseconds: takenMilliseconds),
      "jobs": JSONText.array(jobs.map(\.json)),
    ])
  }

  /// The report for a terminal.
  public var text: String {
    guard !jobs.isEmpty else { return "There was no such job yet.\n" }
    var text = jobs.map { $0.text(takenMilliseconds) }.joined(separator: "\n")
    if let key = jobs.flatMap({ $0.keys + $0.largeKeys }).first, key.name == nil {
      text += "\n\(KeyDigestHint.sentence(digits: key.digest.count))\n"
    }
    return text
  }

  /// Two lines for a program that shows one job while it runs: its state, and its progress for a person.
  public var line: String {
    guard let job = jobs.first else { return "none\n\n" }
    return "\(job.stateWord)\n\(job.bar(takenMilliseconds))\n"
  }
}

extension JobsReport.Job {
  /// The width of the bar, in characters.
  private static let barWidth = 20

  /// The progress on one line: `[####------] 40 %, 4,980/s, 1.2 MiB/s, 12 s left, copied 40,000`.
  func bar(_ now: Int64) -> String {
    var parts: [String] = []
    let seconds = max(0.001, Double((endedMilliseconds ?? now) - startedMilliseconds) / 1000)
    if let share {
      let full = Int((share * Double(Self.barWidth)).rounded(.down))
      let bar = String(repeating: "#", count: full) + String(repeating: "-", count: Self.barWidth - full)
      parts.append("[\(bar)] \(Int((share * 100).rounded(.down))) %")
    }
    let isCounting = state.word == "running" && scannedKeys == 0 && expectedKeys == nil
    parts.append(isCounting ? "counting keys" : HumanFormat.rate(Double(scannedKeys) / seconds))
    if copiedBytes > 0 { parts.append("\(HumanFormat.bytes(Double(copiedBytes) / seconds))/s") }
    if let expectedKeys, expectedKeys > scannedKeys, scannedKeys > 0, state.word != "ended" {
      let left = Double(expectedKeys - scannedKeys) * seconds / Double(scannedKeys)
      parts.append("\(HumanFormat.duration(left)) left")
    }
    parts += counts.filter { $0.keys > 0 }.map { "\($0.result) \(HumanFormat.count(Double($0.keys)))" }
    if state.word != "running" { parts.append(stateText) }
    return parts.joined(separator: ", ")
  }

  /// The job on one line, for the status: `Backfill: [####------] 40 %, …`.
  func summary(_ now: Int64) -> String { "\(title): \(bar(now))" }

  /// The kind of job, as the beginning of a line.
  var title: String { kind == "verify" ? "Verification" : isDryRun ? "Backfill (dry run)" : "Backfill" }

  /// The state for a program: `running`, `waiting.flip`, `ended.complete`, or `ended.void` if that counts no more.
  fileprivate var stateWord: String {
    let detail = state.word == "ended" && state.detail == "complete" && isVoid ? "void" : state.detail
    return [state.word, detail].compactMap(\.self).joined(separator: ".")
  }

  /// The state in words.
  private var stateText: String {
    switch (state.word, state.detail) {
    case ("waiting", "flip"): "waiting for a flip to end"
    case ("waiting", "dual_write_off"): "waiting: dual write is off"
    case ("waiting", "store_unavailable"): "waiting for a store that is not connected"
    case ("waiting", "stale_keys"): "waiting while stale keys are copied"
    case ("paused", "default_moved"): "paused, since the default store moved: resume begins anew"
    case ("paused", _): "paused"
    case ("ended", "complete"): completeText
    case ("ended", "incomplete"):
      kind == "verify" ? "ended: the stores differ, or keys could not be compared" : "ended with failures"
    case ("ended", "interrupted"): "interrupted by a restart of the sidecar: start it again"
    case ("ended", let outcome): "ended: \(outcome ?? "")"
    default: state.word
    }
  }

  /// A good end in words, which claims nothing about keys that were left out, or about what happened since.
  private var completeText: String {
    let isFiltered = pattern != nil || type != nil
    let verb = isVoid ? "were" : "are"
    let result: String
    if kind == "verify" {
      result = "the stores \(verb) equal" + (isFiltered ? " in the keys that match" : "")
    } else if isDryRun {
      let keys = HumanFormat.count(Double(count("copied")), "key")
      result = "\(keys)\(isFiltered ? " of those that match" : "") would be copied"
    } else {
      result = "all keys \(isFiltered ? "that match " : "")\(verb) there"
    }
    guard isVoid else { return "ended: \(result)" }
    if kind == "verify" { return "ended: \(result), but keys may differ since: verify again" }
    return "ended: \(result), but a store was restarted, replaced or emptied since: start it again"
  }

  fileprivate func text(_ now: Int64) -> String {
    var rows: [[String]] = [["state", stateText]]
    let end = endedMilliseconds ?? now
    let age = HumanFormat.duration(Double(end - startedMilliseconds) / 1000)
    rows.append(["started", "\(HumanFormat.moment(milliseconds: startedMilliseconds)), \(age) long"])
    rows.append(["stores", storesText])
    let filter = [pattern.map { "matching \($0)" }, type.map { "of type \($0)" }].compactMap(\.self)
    if !filter.isEmpty { rows.append(["keys", "those \(filter.joined(separator: " and "))"]) }
    let expected = expectedKeys.map { " of about \(HumanFormat.count(Double($0)))" } ?? ""
    rows.append(["scanned", "\(HumanFormat.count(Double(scannedKeys)))\(expected)"])
    let permitted = effectiveRate < rate ? ", at present \(HumanFormat.count(Double(effectiveRate)))" : ""
    rows.append(["rate", "at most \(HumanFormat.count(Double(rate))) keys a second\(permitted)"])
    for count in counts where count.keys > 0 || !count.isDifference {
      let bytes = count.result == "copied" && count.keys > 0 ? ", \(HumanFormat.bytes(Double(copiedBytes)))" : ""
      rows.append([count.result, HumanFormat.count(Double(count.keys)) + bytes])
    }
    for failure in failures {
      rows.append(["failure", "\(HumanFormat.count(Double(failure.keys))): \(failure.result)"])
    }
    var text = "\(instance): \(title.lowercased())\n" + TextTable.aligned(rows.map { ["  \($0[0])", $0[1]] })
    text += table(of: keys, title: "Keys") + table(of: largeKeys, title: "Large keys")
    return text
  }

  private var storesText: String {
    let other = defaultStore == "primary" ? "secondary" : "primary"
    func name(_ role: String) -> String { role + (versions[role].map { " \($0)" } ?? "") }
    return "\(name(defaultStore)) (default) \(kind == "verify" ? "and" : "to") \(name(other))"
  }

  private func table(of keys: [JobsReport.Key], title: String) -> String {
    guard !keys.isEmpty else { return "" }
    let rows = keys.map { [$0.name ?? $0.digest, "\($0.database)", $0.result, $0.detail] }
    return "\(title):\n" + TextTable.aligned([["KEY", "DATABASE", "RESULT", "DETAIL"]] + rows, numbers: [1])
  }

  var json: String {
    func time(_ milliseconds: Int64?) -> String { milliseconds.map { JSONText.seconds(milliseconds: $0) } ?? "null" }
    return JSONText.object([
      "instance": JSONText.quote(instance),
      "job": JSONText.quote(kind),
      "state": JSONText.quote(state.word),
      "detail": JSONText.quote(state.detail),
      "void": "\(isVoid)",
      "match": JSONText.quote(pattern),
      "type": JSONText.quote(type),
      "dry_run": "\(isDryRun)",
      "heal": "\(heals)",
      "default_store": JSONText.quote(defaultStore),
      "server_versions": JSONText.object(
        versions.sorted { $0.key < $1.key }.map { ($0.key, JSONText.quote($0.value)) }
      ),
      "started_timestamp_seconds": time(startedMilliseconds),
      "ended_timestamp_seconds": time(endedMilliseconds),
      "rate": "\(rate)",
      "effective_rate": "\(effectiveRate)",
      "expected_keys": expectedKeys.map(String.init) ?? "null",
      "scanned_keys": "\(scannedKeys)",
      "progress_ratio": JSONText.number(share),
      "copied_bytes": "\(copiedBytes)",
      "keys_by_result": JSONText.object(counts.map { ($0.result, "\($0.keys)") }),
      "failures": JSONText.object(failures.map { ($0.result, "\($0.keys)") }),
      "keys": JSONText.array(keys.map(\.json)),
      "large_keys": JSONText.array(largeKeys.map(\.json)),
    ])
  }
}

extension JobsReport.Key {
  fileprivate var json: String {
    let name = name.map { [(key: "key", value: JSONText.quote($0))] } ?? []
    return JSONText.object(
      [(key: "key_sha256", value: JSONText.quote(digest))] + name + [
        (key: "database", value: "\(database)"),
        (key: "result", value: JSONText.quote(result)),
        (key: "detail", value: JSONText.quote(detail)),
      ]
    )
  }
}
