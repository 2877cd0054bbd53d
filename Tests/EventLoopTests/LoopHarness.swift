import Glibc
import Testing

import func TestSupport.eventually

@testable import EventLoop

/// A loop that a test drives on its own thread, with a deadline instead of a hang.
final class LoopHarness {
  let loop: EventLoop
  let folder: String
  private var reachedDeadline = false

  init() throws {
    loop = try EventLoop()
    var template = Array("/tmp/eventloop-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw POSIXFailure(call: "mkdtemp", code: errno) }
    folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  /// Closes the loop and removes the folder. Delegates let go of what they captured then.
  func finish() {
    loop.close()
    rmdir(folder)
  }

  /// Runs the loop until somebody calls `loop.stop()`; records an issue when nobody does.
  func run(deadline: Duration = .seconds(20), _ location: SourceLocation = #_sourceLocation) {
    let timer = LoopTimer(on: loop) { [unowned self] in
      reachedDeadline = true
      loop.stop()
    }
    timer.schedule(after: deadline)
    loop.run()
    timer.close()
    #expect(!reachedDeadline, "the loop was not stopped in time", sourceLocation: location)
  }

  /// A listener at an address that has just been left. A program that another test is starting has a copy of the old
  /// socket until it is executed.
  func listen(at address: SocketAddress) throws -> Listener {
    var listener: Listener?
    try eventually("\(address) is free") {
      listener = try Listener(on: loop, address: address) { _ in }
      return true
    }
    return try #require(listener)
  }

  /// A client's stream, connected to `address`.
  func connect(to address: SocketAddress, delegate: any StreamDelegate) throws -> Stream {
    let stream = try Stream(on: loop, takingOwnershipOf: connectSocket(to: address), listeningAt: address)
    stream.delegate = delegate
    return stream
  }

  /// Two streams that are connected with each other.
  func pair(_ first: any StreamDelegate, _ second: any StreamDelegate) throws -> (Stream, Stream) {
    var fds: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &fds) == 0 else {
      throw POSIXFailure(call: "socketpair", code: errno)
    }
    let address = SocketAddress.unix(path: "pair")
    let streams = (
      try Stream(on: loop, takingOwnershipOf: fds[0], listeningAt: address),
      try Stream(on: loop, takingOwnershipOf: fds[1], listeningAt: address)
    )
    streams.0.delegate = first
    streams.1.delegate = second
    return streams
  }

  /// The same with delegates that remember what they hear, in the order of their streams.
  func recordedPair() throws -> (RecordingDelegate, RecordingDelegate, Stream, Stream) {
    let delegates = (RecordingDelegate(), RecordingDelegate())
    let streams = try pair(delegates.0, delegates.1)
    return (delegates.0, delegates.1, streams.0, streams.1)
  }
}

struct POSIXFailure: Error {
  var call: String
  var code: Int32
}

/// A blocking socket, connected to a listener on this machine.
func connectSocket(to address: SocketAddress) throws -> Int32 {
  switch address {
  case .unix(let path):
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &name) {
      Glibc.connect(
        fd,
        UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_un>.size)
      )
    }
    guard result == 0 else { throw POSIXFailure(call: "connect", code: errno) }
    return fd
  case .tcp(let host, let port):
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &list) == 0, let list else {
      throw POSIXFailure(call: "getaddrinfo", code: 0)
    }
    defer { freeaddrinfo(list) }
    let fd = socket(list.pointee.ai_family, list.pointee.ai_socktype, 0)
    guard Glibc.connect(fd, list.pointee.ai_addr, list.pointee.ai_addrlen) == 0 else {
      throw POSIXFailure(call: "connect", code: errno)
    }
    return fd
  }
}

/// A delegate made of closures, which remembers what it heard.
final class RecordingDelegate: StreamDelegate {
  var received: [UInt8] = []
  var drains = 0
  var closes: [StreamError?] = []
  var onRead: (Stream) -> Void = { _ in }
  var onDrain: (Stream) -> Void = { _ in }
  var onClose: () -> Void = {}

  func stream(_ stream: Stream, didRead bytes: Span<UInt8>) {
    bytes.withUnsafeBufferPointer { received.append(contentsOf: $0) }
    onRead(stream)
  }

  func streamDidDrain(_ stream: Stream) {
    drains += 1
    onDrain(stream)
  }

  func streamDidClose(_ stream: Stream, error: StreamError?) {
    closes.append(error)
    onClose()
    onRead = { _ in }
    onDrain = { _ in }
    onClose = {}
  }
}

/// Sends back what it gets.
final class EchoDelegate: StreamDelegate {
  func stream(_ stream: Stream, didRead bytes: Span<UInt8>) { stream.write(bytes) }
  func streamDidDrain(_ stream: Stream) {}
  func streamDidClose(_ stream: Stream, error: StreamError?) {}
}
