internal import CHiredis
internal import EventLoop
internal import Glibc
internal import RESP

/// Writing: the commands that were appended in a turn of the loop are written together.
extension HiredisContext: EndOfTurnWorker {
  /// The bytes that the operating system has not taken.
  @inline(__always)
  var unwrittenBytes: Int { output.count }

  /// Whether the operating system did not take all that it was offered last.
  var isSocketFull: Bool { output.isSocketFull }

  /// Appends commands or a part of them, to be written once no more follow. Returns false if it can't take any.
  ///
  /// - Parameters:
  ///   - bytes: the commands.
  ///   - owner: holds `bytes`, and nothing else. If they are large and nothing waits before them, it is retained until
  ///     they are written; otherwise the part that is not written at once is copied.
  func append(_ bytes: Span<UInt8>, of owner: SharedBytes? = nil) -> Bool {
    guard let context, isOpen else { return false }
    output.append(bytes, of: owner, to: context.pointee.fd)
    if !isRegistered {
      isRegistered = true
      loop.atEndOfTurn(self)
    }
    return true
  }

  /// Offers the output to the operating system without waiting for the end of the turn.
  func writeNow() {
    if let context, isOpen { output.flush(to: context.pointee.fd) }
  }

  func endOfTurn() {
    if gathering.turnDidEnd(bufferedBytes: output.bufferedBytes, inFlightCount: ownersInFlightCount) {
      loop.atEndOfNextTurn(self)
      return
    }
    isRegistered = false
    write()
  }

  private var ownersInFlightCount: Int { owner?._withUnsafeGuaranteedRef { $0.inFlightCount } ?? 0 }

  /// Writes the output, and watches the socket for what is left.
  func write() {
    guard let context, isOpen else { return }
    if output.count > 0 {
      let count = output.flush(to: context.pointee.fd)
      if count < 0, count != -Int(EAGAIN), count != -Int(EINTR) { return end(.failed(Self.text(Int32(-count)))) }
    } else if let tls, tls.hasOutput {
      _ = tls.flush(to: context.pointee.fd)
    }
    output.trim(to: Self.keptBytes)
    // The owner is retained for the call, which may release it, but not for the question alone.
    if let owner, owner._withUnsafeGuaranteedRef({ $0.awaitsWriting }) { owner.takeUnretainedValue().contextDidWrite() }
    watch()
  }

  /// Watches the socket for input, and for room to write if that is needed.
  func watch() {
    guard context != nil, isConnected else { return }
    let needsRoom = (output.count > 0 || tls?.hasOutput == true) && !isRegistered
    // Compared here: asking the handle costs a reference count.
    guard needsRoom != watchesForRoom else { return }
    watchesForRoom = needsRoom
    poll?.update(readable: true, writable: needsRoom)
  }
}
