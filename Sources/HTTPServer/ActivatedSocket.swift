internal import Glibc

/// A listening socket that the service manager opened before it started this process (sd_listen_fds(3)).
public struct ActivatedSocket: Sendable {
  /// Where it listens.
  public let address: HTTPListenAddress
  let descriptor: Int32

  /// The first descriptor that is handed over (SD_LISTEN_FDS_START).
  private static let firstDescriptor: Int32 = 3
  /// Nobody hands over more; a number beyond this is no number of sockets.
  private static let mostDescriptors = 1024

  /// All sockets that were handed to this process. To be called once, before anything else is opened or started.
  ///
  /// Each of them is the caller's from then on; it is closed on exec.
  /// - Throws: ``SocketActivationError`` when there are none, or when one is no listening stream socket.
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
      let address = Self.address(of: descriptor)
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

  private static func address(of descriptor: Int32) -> HTTPListenAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutableBytes(of: &storage) { bytes in
      guard getsockname(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!, &length) == 0 else {
        return nil
      }
      // Ports and addresses are in network byte order, at the same places for all systems with glibc.
      let port = Int(UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self)))
      switch Int32(bytes.load(as: sa_family_t.self)) {
      case AF_INET: return text(AF_INET, bytes.baseAddress! + 4).map { .tcp(host: $0, port: port) }
      case AF_INET6: return text(AF_INET6, bytes.baseAddress! + 8).map { .tcp(host: $0, port: port) }
      case AF_UNIX:
        let path = bytes[MemoryLayout<sa_family_t>.size..<Int(length)].prefix { $0 != 0 }
        return .unix(path: String(decoding: path, as: UTF8.self))
      default: return nil
      }
    }
  }

  private static func text(_ family: Int32, _ address: UnsafeRawPointer) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(family, address, &buffer, socklen_t(buffer.count)) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// Sockets that should have come from the service manager and did not.
public struct SocketActivationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, as a sentence.
  public let description: String

  init(_ reason: String) {
    description = "no sockets from the service manager: \(reason)"
  }
}
