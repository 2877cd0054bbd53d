internal import CHiredis
internal import Glibc

/// Reading a connection past hiredis, whose reader gives up on replies that are nested more than eight arrays deep.
extension HiredisContext {
  /// Reads what is there, but not so much that the others on the loop would have to wait; the loop calls again.
  func readRaw() {
    var reads = 0
    while reads < Self.readsPerTurn, let context, !isAborted {
      let fd = context.pointee.c.fd
      let count = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.bytesPerRead) { buffer in
        let count = recv(fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        let error = errno
        if count > 0 { owner?.contextDidReceiveRaw(UnsafeBufferPointer(rebasing: buffer[..<count]).span) }
        return count < 0 ? -Int(error) : count
      }
      // Whoever heard of the bytes may have ended the context.
      guard self.context != nil, !isAborted else { return }
      switch count {
      case 0: return abort(reason: "the store closed the connection")
      case -Int(EAGAIN), -Int(EINTR): return
      case ..<0: return abort(reason: String(cString: strerror(Int32(-count))))
      case ..<Self.bytesPerRead: return
      default: reads += 1
      }
    }
  }
}
