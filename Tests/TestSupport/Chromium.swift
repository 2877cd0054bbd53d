internal import Foundation

/// A headless Chromium of a test's own, driven through the DevTools protocol over a pair of sockets: no port is open.
///
/// Its profile is in a folder of its own, it finds no host but 127.0.0.1, and it is gone with the object and
/// its pages. One thread at a time may use it and its pages.
public final class Chromium {
  private let process: ChildProcess
  private let connection: DevToolsConnection
  private let profile: TemporaryDirectory
  private let errors: LogLines

  /// Where Chromium is on this machine, or nil if it has none.
  public static let path: String? = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// Starts the browser and waits until it answers.
  ///
  /// - Throws: ``TestSupportError``: `missing` without Chromium, `process` with what it said if it does not start.
  public init() throws {
    guard let path = Self.path else {
      throw TestSupportError(.missing, "Chromium is not on this machine: Tests/setup.sh installs what tests need")
    }
    profile = try TemporaryDirectory()
    let pair = try socketPair()
    let output = try CapturedPipe()
    defer {
      close(output.writingEnd)
      close(pair.theirs)
    }
    errors = output.lines
    connection = DevToolsConnection(Socket(takingOwnership: pair.ours))
    // Chromium takes commands from descriptor 3 and answers on 4; children get no descriptors but the standard ones.
    process = try ChildProcess(
      "sh",
      ["-c", "exec \"$0\" \"$@\" 3<&0 4>&0 </dev/null", path] + Self.arguments(profile: profile.path),
      environment: ["HOME": profile.path, "XDG_CONFIG_HOME": profile.path, "XDG_CACHE_HOME": profile.path],
      input: pair.theirs,
      errors: output.writingEnd
    )
    do {
      _ = try connection.send("Browser.getVersion")
    } catch {
      throw TestSupportError(.process, "Chromium did not start: \(error)\nIt said:\n\(errors.text)")
    }
  }

  /// A new empty page.
  ///
  /// - Parameters:
  ///   - width: Of the view, in CSS pixels.
  ///   - height: Of the view, in CSS pixels.
  /// - Throws: ``TestSupportError``.
  public func page(width: Int = 1280, height: Int = 800) throws -> ChromiumPage {
    let target = try connection.send("Target.createTarget", ["url": .string("about:blank")])["targetId"] ?? .null
    let attached = try connection.send("Target.attachToTarget", ["targetId": target, "flatten": .bool(true)])
    guard let session = attached["sessionId"]?.string else {
      throw TestSupportError(.malformed, "no session for a page: \(attached)")
    }
    return try ChromiumPage(of: self, connection, session: session, width: width, height: height)
  }

  private static func arguments(profile: String) -> [String] {
    let arguments = [
      "--headless", "--remote-debugging-pipe", "--user-data-dir=\(profile)", "--no-first-run",
      "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--disable-extensions", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    // Its sandbox can't be had by root, who runs tests in containers.
    return geteuid() == 0 ? arguments + ["--no-sandbox"] : arguments
  }
}

/// The DevTools protocol: JSON texts that end with a zero byte, answers told from events by the number of the command.
final class DevToolsConnection {
  private let socket: Socket
  private var received: [UInt8] = []
  private var lastID = 0.0
  /// Events by session, in the order in which they came; those of the browser itself under an empty name.
  private(set) var events: [String: [JSONValue]] = [:]

  init(_ socket: Socket) {
    self.socket = socket
  }

  /// Sends a command and waits for its result.
  ///
  /// - Throws: ``TestSupportError``: `process` for an error that Chromium answers, `timedOut`, `closed`.
  func send(
    _ method: String,
    _ parameters: [String: JSONValue] = [:],
    session: String? = nil,
    within limit: Duration = waitLimit
  ) throws -> JSONValue {
    let deadline = ContinuousClock.now + limit
    lastID += 1
    var command: [String: JSONValue] = [
      "id": .number(lastID), "method": .string(method), "params": .object(parameters),
    ]
    if let session { command["sessionId"] = .string(session) }
    try socket.write(Array(JSONValue.object(command).text.utf8) + [0], within: limit)
    while true {
      let message = try read(until: deadline)
      guard let id = message["id"]?.number else {
        keep(message)
        continue
      }
      guard id == lastID else { continue }
      if let error = message["error"] { throw TestSupportError(.process, "Chromium answered \(method): \(error.text)") }
      return message["result"] ?? .null
    }
  }

  /// Waits for an event of a session; earlier ones count as well.
  func wait(for what: String, session: String, within limit: Duration, where matches: (JSONValue) -> Bool) throws {
    let deadline = ContinuousClock.now + limit
    var looked = 0
    while true {
      let known = events[session] ?? []
      if known[looked...].contains(where: matches) { return }
      looked = known.count
      guard ContinuousClock.now < deadline else { throw TestSupportError(.timedOut, "no \(what) within \(limit)") }
      keep(try read(until: deadline))
    }
  }

  /// Forgets a session's events.
  func forgetEvents(session: String) {
    events[session] = []
  }

  private func keep(_ message: JSONValue) {
    events[message["sessionId"]?.string ?? "", default: []].append(message)
  }

  private func read(until deadline: ContinuousClock.Instant) throws -> JSONValue {
    var searched = 0
    while true {
      if let end = received[searched...].firstIndex(of: 0) {
        let text = String(decoding: received[..<end], as: UTF8.self)
        received.removeSubrange(...end)
        return try JSONValue(parsing: text)
      }
      searched = received.count
      let more = try socket.read(upTo: 1 << 20, within: ContinuousClock.now.duration(to: deadline))
      guard !more.isEmpty else { throw TestSupportError(.closed, "Chromium has ended") }
      received += more
    }
  }
}
