internal import CUV
internal import Glibc
// A loop's users name addresses and read why a listener failed; they need not know where these types come from.
@_exported public import struct Sockets.ListenError
@_exported public import enum Sockets.PeerNetwork
@_exported public import enum Sockets.SocketAddress
public import Sockets

/// Accepts connections at one address, on the loop's thread.
///
/// libuv's own listening is not used: when the process has no descriptors left it hangs up on clients, or goes round
/// in circles, and can't be told to wait. Here such a client waits in the kernel's backlog until there is room.
public final class Listener: PollHandleOwner {
  /// Connections taken in one turn, so that a burst of new clients does not keep the others waiting.
  private static let acceptsPerTurn = 64
  /// How long nothing is accepted after a failure such as EMFILE. Long enough not to burn a core, short enough not to
  /// be noticed by a client that waits.
  private static let pauseAfterFailure = Duration.milliseconds(100)

  /// Where it listens; has the real port when port 0 was asked for.
  public let boundAddress: SocketAddress
  /// How often accepting a connection has failed, for want of descriptors most likely.
  public private(set) var acceptFailures: UInt64 = 0

  private let loop: EventLoop
  private let accept: (Stream) -> Void
  private var fd: Int32
  private let socketFile: SocketFile?
  private var poll: PollHandle?
  private var pause: LoopTimer?

  /// Listens at `address` from now on. A TCP host may be a name, which is resolved while this waits. A unix socket's
  /// file is made, and replaces one that a dead process left behind.
  ///
  /// - Parameter backlog: connections that the kernel keeps waiting, at most; Redis has 511.
  /// - Parameter accept: gets each new stream and sets its delegate. The stream does not read before it is told to.
  /// - Throws: the address and the reason, for example that it is already in use.
  public init(
    on loop: EventLoop,
    address: SocketAddress,
    backlog: Int = 511,
    accept: @escaping (Stream) -> Void
  ) throws(ListenError) {
    loop.preconditionOnLoop()
    self.loop = loop
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

  /// Stops listening and removes the file of a unix socket. Connections that were accepted stay. Does nothing the
  /// second time.
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

  /// Takes one connection. False when there is none left to take, or it is better to wait.
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
    do throws(SystemError) {
      accept(try Stream(on: loop, takingOwnershipOf: client, listeningAt: boundAddress))
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
