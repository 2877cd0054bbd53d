internal import CUV
internal import Glibc
// Users of a loop need these types for addresses and listeners' errors, without importing another target for them.
@_exported public import struct Sockets.ListenError
@_exported public import enum Sockets.PeerNetwork
@_exported public import enum Sockets.SocketAddress
public import Sockets
internal import TLS

/// Accepts connections at one address, on the loop's thread.
///
/// libuv's own listening is not used: if the process has no descriptors left, it closes clients' connections or spins,
/// and it can't be paused. Here such a client waits in the kernel's backlog until there is a descriptor.
public final class Listener: PollHandleOwner {
  /// The number of connections accepted in one turn, so that a burst of new clients does not delay the others.
  private static let acceptsPerTurn = 64
  /// The pause in accepting after a failure such as EMFILE: long enough not to use up a core, and short enough for a
  /// waiting client.
  private static let pauseAfterFailure = Duration.milliseconds(100)

  /// The address that it listens on; it has the real port if port 0 was requested.
  public let boundAddress: SocketAddress
  /// The number of failures to accept a connection, most likely for lack of descriptors.
  public private(set) var acceptFailures: UInt64 = 0

  private let loop: EventLoop
  /// Nil for plain streams.
  private let tls: ListenerTLS?
  private let accept: (Stream) -> Void
  private var fd: Int32
  private let socketFile: SocketFile?
  private var poll: PollHandle?
  private var pause: LoopTimer?

  /// Listens at `address`. A host name is resolved while this blocks. The file of a unix socket is created, and
  /// replaces one that a dead process left behind.
  ///
  /// - Parameters:
  ///   - tls: The TLS of its streams; nil for plain ones.
  ///   - backlog: The number of connections that the kernel keeps until they are accepted; Redis has 511.
  ///   - accept: Gets each new stream and sets its delegate. The stream does not read until it is started.
  /// - Throws: The address and the reason, such as that it is already in use.
  public init(
    on loop: EventLoop,
    address: SocketAddress,
    tls: ListenerTLS? = nil,
    backlog: Int = 511,
    accept: @escaping (Stream) -> Void
  ) throws(ListenError) {
    loop.preconditionOnLoop()
    self.loop = loop
    self.tls = tls
    self.accept = accept
    let socket = try ListeningSocket(address, ListeningSocket.Options(backlog: Int32(clamping: backlog)))
    boundAddress = socket.boundAddress
    socketFile = socket.file
    fd = socket.release()
    do throws(EventLoopError) {
      let poll = try PollHandle(on: loop, fd: fd, owner: self)
      poll.update(readable: true, writable: false)
      self.poll = poll
    } catch {
      close()
      throw ListenError(.system(code: error.code), address: address, reason: error.reason)
    }
  }

  deinit {
    close()
  }

  /// Stops listening and removes the file of a unix socket. Accepted connections stay open. A second call does nothing.
  public func close() {
    guard fd >= 0 else { return }
    loop.preconditionOnLoop()
    poll?.close()
    pause?.close()
    socketFile?.remove()
    Glibc.close(fd)
    fd = -1
  }

  package func pollHandle(_ handle: PollHandle, isReadyFor events: PollEvents) {
    if events.contains(.loopClosed) {
      close()
      return
    }
    for _ in 0..<Self.acceptsPerTurn where fd >= 0 {
      guard acceptOne() else { return }
    }
  }

  /// Accepts one connection. Returns false if there is none left, or after a failure.
  private func acceptOne() -> Bool {
    let client = Glibc.accept(fd, nil, nil)
    guard client >= 0 else {
      switch errno {
      case EAGAIN:
        return false
      case EINTR, ECONNABORTED:
        return true
      default:
        failed()
        return false
      }
    }
    _ = fcntl(client, F_SETFL, fcntl(client, F_GETFL) | O_NONBLOCK)
    _ = fcntl(client, F_SETFD, FD_CLOEXEC)
    let secured: StreamTLS?
    do throws(TLSFailure) {
      secured = if let tls { try StreamTLS(tls) } else { nil }
    } catch {
      // The files can't be used, which is counted; the next client may find better ones.
      Glibc.close(client)
      return true
    }
    do throws(SystemError) {
      accept(try Stream(on: loop, takingOwnershipOf: client, listeningAt: boundAddress, tls: secured))
      return true
    } catch {
      failed()
      return false
    }
  }

  private func failed() {
    acceptFailures += 1
    poll?.update(readable: false, writable: false)
    let pause =
      pause
      ?? LoopTimer(on: loop) { [weak self] in
        self?.poll?.update(readable: true, writable: false)
      }
    self.pause = pause
    pause.schedule(after: Self.pauseAfterFailure)
  }
}
