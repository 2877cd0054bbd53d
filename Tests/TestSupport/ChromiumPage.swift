internal import Foundation

/// One page of a ``Chromium``.
public final class ChromiumPage {
  /// What a person has told the system about colours.
  public enum ColorScheme: String, Sendable {
    /// Dark text on a light ground.
    case light
    /// Light text on a dark ground.
    case dark
  }

  /// Runs for as long as it has a page.
  private let browser: Chromium
  private let connection: DevToolsConnection
  private let session: String

  init(
    of browser: Chromium,
    _ connection: DevToolsConnection,
    session: String,
    width: Int,
    height: Int
  ) throws {
    self.browser = browser
    self.connection = connection
    self.session = session
    for domain in ["Page", "Runtime", "Log", "Audits", "Accessibility"] { _ = try send("\(domain).enable") }
    try resize(width: width, height: height)
  }

  /// Sends a command of the DevTools protocol to the page and waits for its result.
  ///
  /// - Throws: ``TestSupportError``.
  @discardableResult
  public func send(_ method: String, _ parameters: [String: JSONValue] = [:]) throws -> JSONValue {
    try connection.send(method, parameters, session: session)
  }

  /// Opens an address and waits until the page has loaded.
  ///
  /// - Throws: ``TestSupportError``: `process` if there is nothing at the address.
  public func open(_ address: String, within limit: Duration = waitLimit) throws {
    connection.forgetEvents(session: session)
    let answer = try send("Page.navigate", ["url": .string(address)])
    if let error = answer["errorText"]?.string { throw TestSupportError(.process, "opening \(address): \(error)") }
    try connection.wait(for: "load event of \(address)", session: session, within: limit) {
      $0["method"]?.string == "Page.loadEventFired"
    }
  }

  /// Sets the size of the view, in CSS pixels.
  public func resize(width: Int, height: Int, scale: Double = 1) throws {
    try send(
      "Emulation.setDeviceMetricsOverride",
      [
        "width": .number(Double(width)), "height": .number(Double(height)), "deviceScaleFactor": .number(scale),
        "mobile": .bool(false),
      ]
    )
  }

  /// Tells the page which colours the person likes, and whether they want less motion.
  public func prefer(_ scheme: ColorScheme, reducedMotion: Bool = false) throws {
    let features = ["prefers-color-scheme": scheme.rawValue, "prefers-reduced-motion": reducedMotion ? "reduce" : ""]
    let values = features.map { JSONValue.object(["name": .string($0.key), "value": .string($0.value)]) }
    try send("Emulation.setEmulatedMedia", ["features": .array(values)])
  }

  /// Turns JavaScript of the page on or off; holds from the next address on.
  public func runsScripts(_ isOn: Bool) throws {
    try send("Emulation.setScriptExecutionDisabled", ["value": .bool(!isOn)])
  }

  /// The value of a JavaScript expression in the page; promises are waited for.
  ///
  /// - Throws: ``TestSupportError``: `process` if the expression throws.
  public func evaluate(_ expression: String) throws -> JSONValue {
    let answer = try send(
      "Runtime.evaluate",
      ["expression": .string(expression), "returnByValue": .bool(true), "awaitPromise": .bool(true)]
    )
    if let exception = answer["exceptionDetails"] {
      throw TestSupportError(.process, "\(expression): \(exception.text)")
    }
    return answer["result"]?["value"] ?? .null
  }

  /// What the page has complained about since it was opened: messages of the console that are errors or warnings,
  /// exceptions, and violations of its Content-Security-Policy.
  ///
  /// - Throws: ``TestSupportError``.
  public func complaints() throws -> [String] {
    // Whatever was said before the answer has come by then.
    _ = try evaluate("0")
    return (connection.events[session] ?? []).compactMap { event in
      let parameters = event["params"] ?? .null
      switch event["method"]?.string {
      case "Runtime.exceptionThrown", "Audits.issueAdded": return parameters.text
      case "Runtime.consoleAPICalled":
        return ["error", "warning", "assert"].contains(parameters["type"]?.string) ? parameters.text : nil
      case "Log.entryAdded":
        return ["error", "warning"].contains(parameters["entry"]?["level"]?.string) ? parameters.text : nil
      default: return nil
      }
    }
  }

  /// The nodes of the accessibility tree that a screen reader would tell of.
  ///
  /// - Throws: ``TestSupportError``.
  public func accessibilityTree() throws -> [AccessibilityNode] {
    let nodes = try send("Accessibility.getFullAXTree")["nodes"]?.elements ?? []
    return nodes.compactMap(AccessibilityNode.init)
  }

  /// A picture of the page as PNG: what is in view, or all of it.
  ///
  /// - Throws: ``TestSupportError``.
  public func screenshot(wholePage: Bool = false) throws -> [UInt8] {
    let parameters: [String: JSONValue] = ["format": .string("png"), "captureBeyondViewport": .bool(wholePage)]
    let answer = try send(
      "Page.captureScreenshot",
      try wholePage ? parameters.merging(["clip": clip()]) { $1 } : parameters
    )
    guard let data = answer["data"]?.string.flatMap({ Data(base64Encoded: $0) }) else {
      throw TestSupportError(.malformed, "no picture in Chromium's answer")
    }
    return Array(data)
  }

  private func clip() throws -> JSONValue {
    let size = try send("Page.getLayoutMetrics")["cssContentSize"] ?? .null
    return .object([
      "x": .number(0), "y": .number(0), "width": size["width"] ?? .null, "height": size["height"] ?? .null,
      "scale": .number(1),
    ])
  }
}

/// One thing on a page as a screen reader tells it.
public struct AccessibilityNode: Sendable, Equatable {
  /// What it is: `heading`, `image`, `row` …
  public let role: String
  /// What it is called; empty if it has no name.
  public let name: String

  /// Nil for what is left out.
  init?(_ json: JSONValue) {
    guard json["ignored"]?.bool != true, let role = json["role"]?["value"]?.string else { return nil }
    self.role = role
    name = json["name"]?["value"]?.string ?? ""
  }
}
