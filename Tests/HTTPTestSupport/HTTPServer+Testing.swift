internal import Foundation
public import HTTPServer
internal import Sockets
public import TestSupport

extension HTTPServer {
  /// A server on a free port of loopback.
  public static func onLoopback(
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

  /// A server on a free port of loopback.
  public static func onLoopback(
    _ routes: [HTTPRoute],
    limits: HTTPLimits = HTTPLimits(),
    access: HTTPAccess
  ) throws -> HTTPServer {
    try HTTPServer(address: .tcp(host: "127.0.0.1", port: 0), routes: routes, limits: limits, access: access)
  }

  /// The port of a server that listens on TCP.
  public var port: Int {
    guard case .tcp(_, let port) = boundAddress else { preconditionFailure("a unix socket has no port") }
    return port
  }

  /// Sends a request with curl, which gets the URL last.
  public func curl(_ path: String, _ arguments: String...) throws -> CurlResult {
    try curl(path, arguments: arguments)
  }

  /// Sends a request with curl, which gets the URL last.
  public func curl(_ path: String, arguments: [String]) throws -> CurlResult {
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

  /// A connection of its own to the server.
  public func connect() throws -> Socket {
    guard let address = TestSupport.SocketAddress(boundAddress.description) else {
      preconditionFailure("tests connect to loopback and unix sockets: \(boundAddress)")
    }
    return try Socket(connectingTo: address)
  }

  /// Sends bytes as they are and reads until the server closes.
  public func raw(_ text: String) throws -> String { try raw(Array(text.utf8)) }

  /// Sends bytes as they are and reads until the server closes.
  public func raw(_ bytes: [UInt8]) throws -> String {
    let connection = try connect()
    try connection.write(bytes)
    return String(decoding: try connection.readToEnd(), as: UTF8.self)
  }
}

/// A route that answers a fixed text.
public func textRoute(_ path: String, _ text: String) -> HTTPRoute {
  HTTPRoute([.get], path) { _ in .text(text) }
}
