import EventLoop

/// Foundation has a `Stream` as well.
typealias EventLoopStream = Stream

/// A fake store on the test's own loop: it answers every handshake, and does with the commands after it what the test
/// says.
final class ScriptedStore: StreamDelegate {
  /// Answers to the commands of a handshake that has neither AUTH nor SELECT: SETNAME, INFO and PING.
  static let welcome = ["+OK\r\n", "$27\r\nrun_id:x\r\nredis_version:7.0\r\n", "+PONG\r\n"]

  private(set) var address = SocketAddress.unix(path: "")
  private(set) var streams: [EventLoopStream] = []
  private var listener: Listener?
  private let handshake: [String]
  /// Commands got so far on each connection, by connection.
  private var counts: [ObjectIdentifier: Int] = [:]
  /// Gets each command after the handshake, by its bytes.
  var onCommand: (EventLoopStream, String) -> Void = { _, _ in }

  init(
    on loop: EventLoop,
    at address: SocketAddress = .tcp(host: "127.0.0.1", port: 0),
    handshake: [String] = welcome
  ) throws {
    self.handshake = handshake
    let listener = try Listener(on: loop, address: address) { [unowned self] stream in
      streams.append(stream)
      stream.delegate = self
      stream.startReading()
    }
    self.listener = listener
    self.address = listener.boundAddress
  }

  deinit {
    listener?.close()
  }

  func stream(_ stream: EventLoopStream, didRead bytes: Span<UInt8>) {
    let text = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    for command in text.split(separator: "*").map({ "*" + $0 }) {
      let index = counts[ObjectIdentifier(stream), default: 0]
      counts[ObjectIdentifier(stream)] = index + 1
      if index < handshake.count {
        stream.say(handshake[index])
      } else {
        onCommand(stream, command)
      }
    }
  }

  func streamDidDrain(_ stream: EventLoopStream) {}

  func streamDidClose(_ stream: EventLoopStream, error: StreamError?) {
    counts[ObjectIdentifier(stream)] = nil
    streams.removeAll { $0 === stream }
  }
}

extension EventLoopStream {
  func say(_ text: String) {
    write(Array(text.utf8).span)
  }
}
