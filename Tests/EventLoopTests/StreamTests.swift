import Glibc
import Testing

@testable import EventLoop

@Suite struct StreamTests {
  enum Transport: CaseIterable { case tcp4, tcp6, unix }

  func address(_ transport: Transport, _ harness: LoopHarness) -> SocketAddress {
    switch transport {
    case .tcp4: .tcp(host: "127.0.0.1", port: 0)
    case .tcp6: .tcp(host: "::1", port: 0)
    case .unix: .unix(path: harness.folder + "/socket")
    }
  }

  /// More than fits into the sockets' buffers, so that both directions have to wait.
  let halfAMegabyte = (0..<500_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

  @Test(arguments: Transport.allCases)
  func echoes(_ transport: Transport) throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    var peers: [String] = []
    let listener = try Listener(on: harness.loop, address: address(transport, harness)) { stream in
      peers.append(stream.peer)
      stream.delegate = EchoDelegate()
      stream.startReading()
    }
    let client = RecordingDelegate()
    client.onRead = { stream in
      if client.received.count == halfAMegabyte.count { stream.close() }
    }
    client.onClose = { harness.loop.stop() }
    let stream = try harness.connect(to: listener.boundAddress, delegate: client)
    stream.startReading()
    stream.write(halfAMegabyte.span)
    harness.run()
    #expect(client.received == halfAMegabyte)
    #expect(client.closes == [nil])
    #expect(peers.count == 1)
    switch transport {
    case .tcp4: #expect(peers[0].hasPrefix("127.0.0.1:"))
    case .tcp6: #expect(peers[0].hasPrefix("[::1]:"))
    case .unix: #expect(peers[0] == "unix:\(harness.folder)/socket")
    }
    listener.close()
  }

  @Test func readsRightIntoItsDelegatesMemory() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let reader = RecordingDelegate()
    let (stream, other) = try harness.pair(reader, RecordingDelegate())
    var direct: [UInt8] = []
    var taken = 0
    reader.onRead = { stream in
      taken += 1
      // The loop tells of what is left, and of the end.
      let more = [UInt8](capacity: 1000) { stream.read(into: &$0) }
      reader.received += more
      direct += more
    }
    reader.onClose = { harness.loop.stop() }
    stream.startReading()
    other.write(halfAMegabyte.span)
    other.closeAfterWriting()
    harness.run()
    #expect(reader.received == halfAMegabyte)
    #expect(!direct.isEmpty && direct.count <= taken * 1000)
  }

  @Test func waitsForASlowReader() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let (writer, reader, a, b) = try harness.recordedPair()
    for _ in 0..<4 { a.write(halfAMegabyte.span) }
    // What the kernel did not take is pending, in the order of the writes.
    let pending = a.pendingWriteBytes
    #expect(pending > 1_000_000 && pending < 2_000_000)
    #expect(writer.drains == 0)
    writer.onDrain = { stream in
      #expect(stream.pendingWriteBytes == 0)
    }
    reader.onRead = { _ in
      if reader.received.count == 2_000_000 { harness.loop.stop() }
    }
    b.startReading()
    harness.run()
    #expect(reader.received == halfAMegabyte + halfAMegabyte + halfAMegabyte + halfAMegabyte)
    #expect(writer.drains == 1)
  }

  @Test func stopsReading() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let (_, reader, a, b) = try harness.recordedPair()
    let timer = LoopTimer(on: harness.loop) {
      // One buffer of bytes was read until now; the rest was there and waited.
      #expect(reader.received.count <= EventLoop.readBufferSize)
      #expect(a.pendingWriteBytes > 0)
      reader.onRead = { _ in
        if reader.received.count == halfAMegabyte.count { harness.loop.stop() }
      }
      b.startReading()
      b.startReading()
    }
    reader.onRead = { stream in
      stream.stopReading()
      timer.schedule(after: .milliseconds(20))
    }
    b.startReading()
    a.write(halfAMegabyte.span)
    harness.run()
    #expect(reader.received == halfAMegabyte)
  }

  @Test func closesAfterWriting() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let (writer, reader, a, b) = try harness.recordedPair()
    reader.onClose = { harness.loop.stop() }
    a.write(halfAMegabyte.span)
    a.closeAfterWriting()
    // What comes afterwards is not written any more.
    a.write(halfAMegabyte.span)
    b.startReading()
    harness.run()
    #expect(reader.received == halfAMegabyte)
    #expect(reader.closes == [nil])
    #expect(writer.closes == [nil])
    #expect(writer.drains == 0)
  }

  @Test func closeDropsWhatIsPending() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let (writer, reader, a, b) = try harness.recordedPair()
    reader.onClose = { harness.loop.stop() }
    a.write(halfAMegabyte.span)
    a.close()
    a.close()
    #expect(writer.closes.isEmpty, "the delegate was told from within close")
    #expect(a.pendingWriteBytes == 0)
    a.write(halfAMegabyte.span)
    b.startReading()
    harness.run()
    #expect(reader.received.count < halfAMegabyte.count)
    #expect(writer.closes == [nil])
  }

  @Test func tellsOfABrokenConnection() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let delegate = RecordingDelegate()
    let listener = try Listener(on: harness.loop, address: .tcp(host: "127.0.0.1", port: 0)) { stream in
      stream.delegate = delegate
      stream.startReading()
    }
    delegate.onClose = { harness.loop.stop() }
    let fd = try connectSocket(to: listener.boundAddress)
    // A close that does not linger sends a reset.
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    close(fd)
    harness.run()
    #expect(delegate.closes.map { $0?.code } == [ECONNRESET])
    #expect(delegate.closes[0]?.description == "connection reset by peer")
    listener.close()
  }

  @Test func tellsOfAWriteToNobody() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let (writer, reader, a, b) = try harness.recordedPair()
    b.close()
    reader.onClose = { a.write([1].span) }
    writer.onClose = { harness.loop.stop() }
    harness.run()
    #expect(writer.closes.map { $0?.code } == [EPIPE])
  }

  /// A stream lives until it is closed, and no longer.
  @Test func letsGoOfItsDelegate() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    weak var delegate: RecordingDelegate?
    weak var stream: Stream?
    do {
      let made = RecordingDelegate()
      let (a, b) = try harness.pair(made, RecordingDelegate())
      delegate = made
      stream = a
      made.onClose = { harness.loop.stop() }
      a.startReading()
      b.close()
    }
    #expect(delegate != nil && stream != nil)
    harness.run()
    #expect(delegate == nil && stream == nil)
  }
}
