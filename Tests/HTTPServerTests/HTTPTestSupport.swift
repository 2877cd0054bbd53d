import Foundation
import TestSupport
import Testing

@testable import HTTPServer

/// What curl saw of a response.
struct CurlResult {
  let exit: ChildProcess.Exit
  let status: Int
  let headers: [(name: String, value: String)]
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }

  func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

extension HTTPServer {
  /// A server on a free port of loopback.
  static func onLoopback(
    _ routes: [HTTPRoute],
    limits: HTTPLimits = HTTPLimits(),
    authorization: BearerToken? = nil
  ) throws -> HTTPServer {
    try onLoopback(
      routes,
      limits: limits,
      access: HTTPAccess(authorization: authorization.map { .bearer($0) } ?? .none)
    )
  }

  static func onLoopback(
    _ routes: [HTTPRoute],
    limits: HTTPLimits = HTTPLimits(),
    access: HTTPAccess
  ) throws -> HTTPServer {
    try HTTPServer(address: .tcp(host: "127.0.0.1", port: 0), routes: routes, limits: limits, access: access)
  }

  var port: Int {
    guard case .tcp(_, let port) = boundAddress else { preconditionFailure("a unix socket has no port") }
    return port
  }

  /// Asks with curl, which is given the path last.
  func curl(_ path: String, _ arguments: String...) throws -> CurlResult {
    try curl(path, arguments: arguments)
  }

  func curl(_ path: String, arguments: [String]) throws -> CurlResult {
    let folder = try TemporaryDirectory()
    let target: [String] =
      switch boundAddress {
      case .tcp: ["\(usesTLS ? "https" : "http")://\(boundAddress)\(path)"]
      case .unix(let socket): ["--unix-socket", socket, "http://localhost\(path)"]
      }
    let fixed = [
      "-sS", "--max-time", "20", "-D", folder.path("head"), "-o", folder.path("body"), "-w", "%{http_code}\\n",
    ]
    let outcome = try ChildProcess.run("curl", fixed + arguments + target)
    let head = (try? String(contentsOfFile: folder.path("head"), encoding: .utf8)) ?? ""
    let headers = head.split(separator: "\r\n").compactMap { line -> (name: String, value: String)? in
      let parts = line.split(separator: ":", maxSplits: 1)
      return parts.count == 2 ? (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces)) : nil
    }
    let body = FileManager.default.contents(atPath: folder.path("body")) ?? Data()
    return CurlResult(
      exit: outcome.exit,
      status: Int(outcome.output.split(separator: "\n").last ?? "") ?? 0,
      headers: headers,
      body: [UInt8](body)
    )
  }

  /// Sends bytes as they are and reads until the server closes.
  func raw(_ text: String, timeout: Duration = .seconds(20)) throws -> String {
    try raw(Array(text.utf8), timeout: timeout)
  }

  func raw(_ bytes: [UInt8], timeout: Duration = .seconds(20)) throws -> String {
    let connection = try AdminConnection(to: boundAddress, timeout: timeout)
    try connection.write(bytes)
    return String(decoding: try connection.readToEnd(), as: UTF8.self)
  }
}

/// A route that answers a fixed text.
func textRoute(_ path: String, _ text: String) -> HTTPRoute {
  HTTPRoute([.get], path) { _ in .text(text) }
}
