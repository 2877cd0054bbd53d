import Glibc
import RESP
import Testing

@testable import Hiredis

/// The output over a pair of sockets, the other of which reads only when the test does.
@Suite struct ContextOutputTests {
  @Test func `small commands wait until there are many of them`() throws {
    let sockets = try SocketPair()
    var output = ContextOutput()
    let command = [UInt8](repeating: 7, count: 1000)
    for count in 1...16 {
      output.append(command.span, of: nil, to: sockets.near)
      #expect(output.count == count * 1000 && output.bufferedBytes == output.count)
    }
    output.append(command.span, of: nil, to: sockets.near)
    #expect(output.count == 0 && !output.isSocketFull, "16 KiB are written at once")
    #expect(sockets.read(17_000) == 17_000)
  }

  @Test func `a large command is kept by its owner while the socket is full`() throws {
    let sockets = try SocketPair()
    var output = ContextOutput()
    let size = 4_000_000
    weak var observed: SharedBytes?
    do {
      var bytes = ByteBuffer()
      bytes.append([UInt8](repeating: 1, count: size).span)
      let owner = SharedBytes(bytes, spares: SpareBuffers())
      observed = owner
      owner.withSpan { output.append($0, of: owner, to: sockets.near) }
    }
    #expect(observed != nil && output.isSocketFull)
    #expect(output.count > 0 && output.bufferedBytes == 0, "it is not copied")
    let small: [UInt8] = [2, 2]
    output.append(small.span, of: nil, to: sockets.near)
    #expect(output.bufferedBytes == 2)
    var received = 0
    while received < size + 2 {
      received += sockets.read(size)
      output.flush(to: sockets.near)
    }
    #expect(received == size + 2 && output.count == 0 && !output.isSocketFull)
    #expect(observed == nil)
  }

  @Test func `an error is that of the last write`() throws {
    let sockets = try SocketPair()
    var output = ContextOutput()
    let small: [UInt8] = [2, 2]
    output.append(small.span, of: nil, to: sockets.near)
    sockets.closeFar()
    let result = output.flush(to: sockets.near)
    #expect(result == -Int(EPIPE))
    #expect(output.count == 2 && output.isSocketFull)
  }
}

@Suite struct OutputGatheringTests {
  @Test func `output that grows waits for two turns`() {
    var gathering = OutputGathering()
    for _ in 0..<2 {
      #expect(gathering.turnDidEnd(bufferedBytes: 10, inFlightCount: 2) == true)
      #expect(gathering.turnDidEnd(bufferedBytes: 20, inFlightCount: 2) == true)
      #expect(gathering.turnDidEnd(bufferedBytes: 30, inFlightCount: 2) == false)
    }
  }

  @Test func `output that does not grow is written`() {
    var gathering = OutputGathering()
    #expect(gathering.turnDidEnd(bufferedBytes: 10, inFlightCount: 2) == true)
    #expect(gathering.turnDidEnd(bufferedBytes: 10, inFlightCount: 2) == false)
  }

  @Test func `a command that is alone does not wait`() {
    var gathering = OutputGathering()
    #expect(gathering.turnDidEnd(bufferedBytes: 10, inFlightCount: 1) == false)
  }
}

/// Two connected unix sockets.
private final class SocketPair {
  let near: Int32
  private var far: Int32

  init() throws {
    var pair: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    (near, far) = (pair[0], pair[1])
  }

  deinit {
    close(near)
    closeFar()
  }

  func closeFar() {
    guard far >= 0 else { return }
    close(far)
    far = -1
  }

  /// Reads up to `count` bytes that are there; returns how many.
  func read(_ count: Int) -> Int {
    var buffer = [UInt8](repeating: 0, count: count)
    return max(0, recv(far, &buffer, count, Int32(MSG_DONTWAIT)))
  }
}
