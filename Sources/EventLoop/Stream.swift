internal import CUV
internal import Glibc
internal import Sockets
internal import TLS

/// A connection that a listener accepted: bytes in both directions, over TCP or a unix socket.
///
/// An open stream retains itself and its delegate until it is closed, by its peer or by its owner; nothing else has to
/// retain it. Confined to the loop's thread.
public final class Stream: HandleOwner {
  /// The seconds of silence after which the kernel sends keep-alive probes to a TCP peer.
  private static let keepAliveDelaySeconds: UInt32 = 60

  /// The delegate, notified of the stream's events. Retained until the stream is closed.
  public var delegate: (any StreamDelegate)?
  /// The peer's address: `127.0.0.1:53211`, or `unix:` and the path of the listener's socket.
  public let peer: String

  let loop: EventLoop
  /// Nil for a plain stream.
  let tls: StreamTLS?
  /// Nil from the moment that the stream begins to close.
  var handle: UnsafeMutablePointer<uv_stream_t>?
  private var isReading = false
  /// Whether the stream has filled the buffer, and is read again in the next turn.
  private var isPaused = false
  var closesAfterWriting = false
  private var closeError: StreamError?
  /// The bytes that the socket has not taken yet.
  var output = WriteQueue()

  /// Takes ownership of a connected descriptor, and closes it on failure.
  ///
  /// - Throws: If libuv refuses the descriptor.
  init(
    on loop: EventLoop,
    takingOwnershipOf fd: Int32,
    listeningAt address: SocketAddress,
    tls: StreamTLS? = nil
  ) throws(SystemError) {
    self.loop = loop
    self.tls = tls
    let result: Int32
    switch address {
    case .tcp:
      let memory = HandleMemory<uv_tcp_t>()
      uv_tcp_init(loop.uv, memory.pointer)
      handle = memory.stream
      result = uv_tcp_open(memory.pointer, fd)
      peer = result == 0 ? Self.peerName(memory.pointer) : ""
      if result == 0 {
        // Neither can fail on a connected TCP socket in a way that matters: the stream works without them.
        uv_tcp_nodelay(memory.pointer, 1)
        uv_tcp_keepalive(memory.pointer, 1, Self.keepAliveDelaySeconds)
      } else {
        memory.close()
      }
    case .unix:
      let memory = HandleMemory<uv_pipe_t>()
      uv_pipe_init(loop.uv, memory.pointer, 0)
      handle = memory.stream
      result = uv_pipe_open(memory.pointer, fd)
      peer = address.description
      if result != 0 { memory.close() }
    }
    guard result == 0 else {
      Glibc.close(fd)
      throw SystemError(uv: result)
    }
    // Balanced in the close callback: the stream lives for as long as its handle is open.
    handle?.pointee.data = Unmanaged.passRetained(self).toOpaque()
  }

  /// Starts or resumes reading; does nothing if it reads already.
  public func startReading() {
    loop.preconditionOnLoop()
    guard let handle, !isReading else { return }
    isReading = true
    if !isPaused { read(handle) }
  }

  private func read(_ handle: UnsafeMutablePointer<uv_stream_t>) {
    let result = uv_read_start(
      handle,
      { handle, _, buffer in
        guard let buffer, let data = handle?.pointee.data else { return }
        Unmanaged<Stream>.fromOpaque(data)._withUnsafeGuaranteedRef { stream in
          // The read itself is work of the turn.
          stream.loop.beginTurn()
          let memory = stream.loop.readBuffer
          buffer.pointee = uv_buf_t(base: memory.baseAddress?.assumingMemoryBound(to: CChar.self), len: memory.count)
        }
      },
      { handle, count, _ in
        guard let data = handle?.pointee.data else { return }
        // Its handle keeps the stream until the close callback.
        Unmanaged<Stream>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.didRead(count) }
      }
    )
    if result != 0 { fail(result) }
  }

  /// Stops reading, so that the peer has to wait when the kernel's buffers are full. Does nothing if it does not read.
  public func stopReading() {
    loop.preconditionOnLoop()
    guard let handle, isReading else { return }
    isReading = false
    uv_read_stop(handle)
  }

  /// Pauses the stream until the next turn if it has filled the buffer: libuv would read it up to 32 times in a row.
  private func pauseIfGreedy(_ count: Int) {
    guard count == loop.readBuffer.count, let handle, isReading else { return }
    isPaused = true
    uv_read_stop(handle)
    loop.atEndOfTurn(self)
  }

  /// Reads available bytes directly into the free capacity of `output`, for a delegate that has read the beginning of a
  /// large command. If there are none, at the end and on failure it reads nothing, and the loop notifies the delegate.
  /// A stream with TLS reads nothing here: its bytes have to be decrypted.
  public func read(into output: inout OutputSpan<UInt8>) {
    loop.preconditionOnLoop()
    guard let handle, isReading, tls == nil else { return }
    var fd: Int32 = -1
    guard uv_fileno(UnsafeRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self), &fd) == 0 else { return }
    output.withUnsafeMutableBufferPointer { buffer, count in
      let room = UnsafeMutableBufferPointer(rebasing: buffer[count...])
      count += max(0, recv(fd, room.baseAddress, room.count, Int32(MSG_DONTWAIT)))
    }
  }

  /// Closes the stream and drops the bytes that are not written yet.
  public func close() {
    loop.preconditionOnLoop()
    guard let handle else { return }
    self.handle = nil
    let memory = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
    uv_close(memory) { handle in
      guard let handle, let data = handle.pointee.data else { return }
      Unmanaged<Stream>.fromOpaque(data).takeRetainedValue().didClose()
      free(handle)
    }
  }

  /// Closes the stream as soon as all pending bytes are written, or can't be written any more, and stops reading.
  public func closeAfterWriting() {
    if let tls, isOpen {
      tls.engine.close()
      tls.flush { send($0) }
    }
    closeAfterWriting(because: nil)
  }

  func closeAfterWriting(because error: StreamError?) {
    closeError = closeError ?? error
    stopReading()
    if output.isWriting {
      closesAfterWriting = true
    } else {
      close()
    }
  }

  func closeHandle() { close() }

  static func of(_ handle: UnsafeMutablePointer<uv_stream_t>?) -> Stream? {
    handle?.pointee.data.map { Unmanaged<Stream>.fromOpaque($0).takeUnretainedValue() }
  }

  private static func peerName(_ handle: UnsafeMutablePointer<uv_tcp_t>) -> String {
    var storage = sockaddr_storage()
    var length = Int32(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { storage in
      let address = UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
      guard uv_tcp_getpeername(handle, address, &length) == 0 else { return "unknown" }
      return SocketAddress(address, length: socklen_t(length))?.description ?? "unknown"
    }
  }

  private func didRead(_ count: Int) {
    if count > 0 {
      let bytes = UnsafeRawBufferPointer(rebasing: loop.readBuffer[..<count]).assumingMemoryBound(to: UInt8.self)
      if let tls { didReceive(bytes.span, tls) } else { delegate?.stream(self, didRead: bytes.span) }
      pauseIfGreedy(count)
    } else if count == Int(UV_EOF.rawValue) {
      if let tls { transportDidEnd(tls) } else { endReached() }
    } else if count < 0 {
      fail(Int32(count))
    }
  }

  /// Acts upon the end of what the peer sends.
  func endReached() {
    stopReading()
    if let delegate { delegate.streamDidReachEnd(self) } else { close() }
  }

  func fail(_ result: Int32) {
    guard handle != nil else { return }
    closeError = StreamError(uv: result)
    close()
  }

  private func didClose() {
    output.free()
    let delegate = delegate
    self.delegate = nil
    delegate?.streamDidClose(self, error: closeError)
  }
}

extension Stream: EndOfTurnWorker {
  /// Resumes reading. Called by the loop.
  public func endOfTurn() {
    isPaused = false
    if let handle, isReading { read(handle) }
  }
}
