internal import CUV
internal import TLS

/// Writing to the peer. What the socket does not take at once is copied, and written later.
extension Stream {
  /// Writes the three spans in their order. Bytes that the socket takes at once are not copied; the rest is, and is
  /// written later. The rest has no bound: the caller watches `pendingWriteBytes`. Does nothing on a closing stream.
  public func write(_ bytes: Span<UInt8>, _ more: Span<UInt8> = Span(), _ last: Span<UInt8> = Span()) {
    loop.preconditionOnLoop()
    guard let tls else { return send(bytes, more, last) }
    guard isOpen else { return }
    tls.seal(bytes) { send($0) }
    tls.seal(more) { send($0) }
    tls.seal(last) { send($0) }
    tls.flush { send($0) }
  }

  /// Whether it has not begun to close, and takes what is written.
  var isOpen: Bool { handle != nil && !closesAfterWriting }

  /// Writes bytes as they are.
  func send(_ bytes: Span<UInt8>, _ more: Span<UInt8> = Span(), _ last: Span<UInt8> = Span()) {
    guard let handle, !closesAfterWriting else { return }
    let count = bytes.count + more.count + last.count
    guard count > 0 else { return }
    var taken: Int32 = 0
    if !output.isWriting {
      taken = Self.tryWrite(handle, bytes, more, last)
      if taken < 0, taken != UV_EAGAIN.rawValue { return fail(taken) }
      if Int(taken) == count { return }
    }
    output.append(bytes, more, last, skipping: max(0, Int(taken)))
    if !output.isWriting { writeRest() }
  }

  /// The number of bytes written that the operating system has not taken yet.
  public var pendingWriteBytes: Int {
    guard let handle else { return 0 }
    return uv_stream_get_write_queue_size(handle) + output.waitingCount
  }

  /// Returns the number of bytes that the socket took, or libuv's error.
  private static func tryWrite(
    _ handle: UnsafeMutablePointer<uv_stream_t>,
    _ bytes: Span<UInt8>,
    _ more: Span<UInt8>,
    _ last: Span<UInt8>
  ) -> Int32 {
    bytes.withUnsafeBytes { bytes in
      more.withUnsafeBytes { more in
        last.withUnsafeBytes { last in
          let buffers: InlineArray<3, uv_buf_t> = [buffer(bytes), buffer(more), buffer(last)]
          // Usually there is only the first span, which takes a plain write.
          let count: UInt32 = more.isEmpty && last.isEmpty ? 1 : 3
          return buffers.span.withUnsafeBufferPointer { uv_try_write(handle, $0.baseAddress, count) }
        }
      }
    }
  }

  /// Returns a buffer for writing; libuv only reads through its pointer.
  private static func buffer(_ bytes: UnsafeRawBufferPointer) -> uv_buf_t {
    uv_buf_t(
      base: UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: CChar.self)),
      len: bytes.count
    )
  }

  /// Hands the next bytes to libuv, which calls back when the kernel has taken all of them.
  private func writeRest() {
    guard let handle else { return }
    let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)
    request.initialize(to: uv_write_t())
    var buffer = Self.buffer(output.beginWriting())
    let result = uv_write(request, handle, &buffer, 1) { request, status in
      guard let request else { return }
      let stream = Stream.of(request.pointee.handle)
      request.deallocate()
      stream?.didWrite(status)
    }
    if result != 0 {
      request.deallocate()
      output.endWriting()
      fail(result)
    }
  }

  private func didWrite(_ status: Int32) {
    loop.beginTurn()
    output.endWriting()
    guard handle != nil else { return }
    guard status == 0 else {
      fail(status)
      return
    }
    if output.waitingCount > 0 {
      writeRest()
    } else if closesAfterWriting {
      close()
    } else {
      delegate?.streamDidDrain(self)
    }
  }
}
