import Foundation
import Synchronization
import TestSupport

/// What an Alertmanager's webhooks are sent to.
final class WebhookReceiver: Sendable {
  /// One notification.
  struct Notification: Sendable {
    let path: String
    let body: JSONValue
  }

  private final class Received: Sendable {
    let notifications = Mutex<[Notification]>([])
  }

  private let received: Received
  private let server: ScriptedServer

  /// Listens on a free port.
  init() throws {
    let received = Received()
    self.received = received
    server = try ScriptedServer(tcp: true) { socket in
      let notification = try Self.read(from: socket)
      received.notifications.withLock { $0.append(notification) }
      try socket.write(Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8))
    }
  }

  /// Where it listens, as `host:port`.
  var address: String { server.address.description }

  /// The notifications so far.
  var all: [Notification] { received.notifications.withLock { $0 } }

  /// Reads one request that says how long it is.
  private static func read(from socket: Socket) throws -> Notification {
    var bytes: [UInt8] = []
    while true {
      let more = try socket.read()
      guard !more.isEmpty else { throw TestSupportError(.closed, "a notification that ends in its middle") }
      bytes += more
      guard let head = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
      let text = String(decoding: bytes[..<head.lowerBound], as: UTF8.self)
      let length = text.firstMatch(of: /(?i)content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
      guard bytes.count >= head.upperBound + length else { continue }
      return Notification(
        path: String(text.split(separator: " ")[1]),
        body: try JSONValue(parsing: String(decoding: bytes[head.upperBound...], as: UTF8.self))
      )
    }
  }
}
