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

  @Test(arguments: Transport.allCases)
  func echoes(_ transport: Transport) throws {
    let harness = try LoopHarness()
    var peers: [String] = []
    let listener = try Listener(on: harness.loop, address: address(transport, harness)) { stream in
      peers.append(stream.peer)
      stream.delegate = EchoDelegate()
      stream.startReading()
    }
    // More than fits into the sockets' buffers, so that both directions have to wait.
    let sent = (0..<500_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let client = RecordingDelegate()
    client.onRead = { (stream: Stream) in
      if client.received.count == sent.count { stream.close() }
    }
    client.onClose = { harness.loop.stop() }
    let stream = try harness.connect(to: listener.boundAddress, delegate: client)
    stream.startReading()
    stream.write(sent.span)
    harness.run()
    #expect(client.received == sent)
    #expect(client.closes == [nil])
    #expect(peers.count == 1)
    switch transport {
    case .tcp4: #expect(peers[0].hasPrefix("127.0.0.1:"))
    case .tcp6: #expect(peers[0].hasPrefix("[::1]:"))
    case .unix: #expect(peers[0] == "unix:\(harness.folder)/socket")
    }
    listener.close()
  }
}
