import Foundation
import TestSupport

/// A real Prometheus of a test's own, on a free port, with its data in a folder of its own; gone with the object.
final class PrometheusServer: Sendable {
  /// One series with its value or values.
  struct Series {
    let labels: [String: String]
    let values: [Double]
  }

  let port: UInt16
  private let directory: TemporaryDirectory
  private let process: ChildProcess

  /// Starts it and waits until it is ready.
  ///
  /// - Parameters:
  ///   - configuration: The text of `prometheus.yml`.
  ///   - files: Further files beside it, by name: rules.
  /// - Throws: ``TestSupportError``: `process` with its log if it does not become ready.
  init(configuration: String, files: [String: String] = [:]) throws {
    directory = try TemporaryDirectory()
    for (name, text) in files { try directory.write(text, to: name) }
    let file = try directory.write(configuration, to: "prometheus.yml")
    port = try freePort()
    process = try startServer(
      "prometheus",
      [
        "--config.file=\(file)", "--storage.tsdb.path=\(directory.path("data"))",
        "--web.listen-address=127.0.0.1:\(port)",
      ],
      port: port,
      log: directory.path("log")
    )
  }

  /// A configuration that scrapes one sidecar every second.
  static func configuration(scraping sidecar: SidecarProcess) throws -> String {
    """
    global: { scrape_interval: 1s, scrape_timeout: 1s }
    scrape_configs:
      - job_name: multistore
        static_configs: [{ targets: ["\(try sidecar.address(of: "metrics"))"] }]
    """
  }

  /// What an expression has at this moment.
  ///
  /// - Throws: ``TestSupportError`` with Prometheus' words for an expression that it does not take.
  func query(_ expression: String) throws -> [Series] {
    try series(of: request("query", ["query": expression]))
  }

  /// What an expression had in each second from `start` until now.
  ///
  /// - Throws: ``TestSupportError`` with Prometheus' words for an expression that it does not take.
  func query(_ expression: String, since start: Date) throws -> [Series] {
    let span = ("\(start.timeIntervalSince1970)", "\(Date().timeIntervalSince1970)")
    return try series(
      of: request("query_range", ["query": expression, "start": span.0, "end": span.1, "step": "1"])
    )
  }

  /// The values of a label among the series that match a selector, sorted; all series if it is nil.
  func values(of label: String, matching selector: String? = nil) throws -> [String] {
    let query = selector.flatMap { $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) }
    let data = try request("label/\(label)/values\(query.map { "?match[]=\($0)" } ?? "")")
    return (data.elements ?? []).compactMap(\.string)
  }

  /// The rules that are loaded, as `/api/v1/rules` has them.
  func rules() throws -> [JSONValue] {
    (try request("rules")["groups"]?.elements ?? []).flatMap { $0["rules"]?.elements ?? [] }
  }

  private func request(_ path: String, _ form: KeyValuePairs<String, String> = [:]) throws -> JSONValue {
    let method = form.isEmpty ? "GET" : "POST"
    let response = try HTTPClient.request(method, "/api/v1/\(path)", of: .port(port), form: form)
    let answer = try JSONValue(parsing: response.text)
    guard answer["status"]?.string == "success", let data = answer["data"] else {
      throw TestSupportError(.malformed, answer["error"]?.string ?? response.text)
    }
    return data
  }

  private func series(of data: JSONValue) throws -> [Series] {
    if data["resultType"]?.string == "scalar" {
      return [Series(labels: [:], values: [data["result"].flatMap(Self.value)].compactMap(\.self))]
    }
    return (data["result"]?.elements ?? []).map { result in
      var labels: [String: String] = [:]
      if case .object(let members) = result["metric"] { labels = members.compactMapValues(\.string) }
      let samples = result["values"]?.elements ?? result["value"].map { [$0] } ?? []
      return Series(labels: labels, values: samples.compactMap(Self.value))
    }
  }

  /// The value of a sample, `[time, "value"]`.
  private static func value(_ sample: JSONValue) -> Double? {
    switch sample.elements?.last?.string {
    case "+Inf": .infinity
    case "-Inf": -.infinity
    case let text?: Double(text)
    case nil: nil
    }
  }
}

/// Starts a server of the Prometheus family and waits until `/-/ready` says so.
func startServer(_ program: String, _ arguments: [String], port: UInt16, log: String) throws -> ChildProcess {
  let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
  defer { close(output) }
  let process = try ChildProcess(program, arguments, output: output, errors: output)
  func complain(_ what: String) -> TestSupportError {
    TestSupportError(
      .process,
      "\(program) \(what). Its log:\n\((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")"
    )
  }
  do {
    try eventually("\(program) is ready") {
      guard process.isRunning else { return true }
      return try HTTPClient.request("GET", "/-/ready", of: .port(port), within: .seconds(5)).status == 200
    }
  } catch {
    throw complain("does not become ready: \(error)")
  }
  if let exit = process.exit { throw complain("ended at its start (\(exit))") }
  return process
}
