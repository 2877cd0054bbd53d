internal import Glibc

/// A listening socket that the service manager opened before it started this process (sd_listen_fds(3)).
public struct ActivatedSocket: Sendable {
  /// The address that it is bound to.
  public let address: SocketAddress
  let descriptor: Int32

  /// The first descriptor (SD_LISTEN_FDS_START).
  private static let firstDescriptor: Int32 = 3
  /// An upper bound that no service manager reaches; a larger number is an error.
  private static let mostDescriptors = 1024

  /// Returns all sockets that were passed to this process. Call it once, before anything else is opened or started.
  ///
  /// The caller owns the descriptors. They are closed on exec.
  /// - Throws: ``SocketActivationError`` when there are none, or when one is not a listening stream socket.
  public static func takeAll() throws(SocketActivationError) -> [ActivatedSocket] {
    guard let process = number("LISTEN_PID"), let count = number("LISTEN_FDS") else {
      throw SocketActivationError("LISTEN_PID and LISTEN_FDS are not set")
    }
    guard process == Int(getpid()) else {
      throw SocketActivationError("LISTEN_PID says that they are for process \(process), and this is \(getpid())")
    }
    guard (1...mostDescriptors).contains(count) else {
      throw SocketActivationError("LISTEN_FDS says that there are \(count)")
    }
    var sockets: [ActivatedSocket] = []
    for descriptor in firstDescriptor..<firstDescriptor + Int32(count) {
      sockets.append(try ActivatedSocket(descriptor))
    }
    return sockets
  }

  private init(_ descriptor: Int32) throws(SocketActivationError) {
    self.descriptor = descriptor
    guard Self.option(SO_ACCEPTCONN, of: descriptor) == 1,
      Self.option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue),
      let address = SocketAddress.bound(to: descriptor)
    else {
      throw SocketActivationError(
        "descriptor \(descriptor) is not a listening TCP or unix socket; the socket unit has to say ListenStream= and"
          + " Accept=no"
      )
    }
    self.address = address
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
  }

  private static func number(_ variable: String) -> Int? {
    getenv(variable).flatMap { Int(String(cString: $0)) }
  }

  private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
  }
}

/// The service manager passed no sockets, or none that can be listened on.
public struct SocketActivationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The reason as a sentence.
  public let description: String

  init(_ reason: String) {
    description = "no sockets from the service manager: \(reason)"
  }
}
